/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-fetch: gets the manifest and its signature from manifest-url, and does nothing else, see
 * tenon-fetch(8). It runs as a user of its own with a network and without rights; what it brings is believed
 * only after the signature was verified by somebody else, so that plain http is no danger. libcurl is loaded
 * when there is something to fetch, so that guests without a manifest-url need not have it.
 */
#define CURL_DISABLE_TYPECHECK /* it would call the functions by their names */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/library.h"
#include "lib/names.h"
#include "lib/replace.h"

#define MANIFEST_MAX  (256 * 1024) /* bytes; TN_MANIFEST_MAX */
#define SIGNATURE_MAX 4096         /* TN_MINISIGN_TEXT_MAX */
#define CONNECT_S     20L
#define WHOLE_S       60L
#define REDIRECTS     3L

/* The functions of libcurl that are used here. */
static struct {
        __typeof__(&curl_global_init) global_init;
        __typeof__(&curl_easy_init) init;
        __typeof__(&curl_easy_setopt) setopt;
        __typeof__(&curl_easy_perform) perform;
        __typeof__(&curl_easy_strerror) strerror;
        __typeof__(&curl_easy_cleanup) cleanup;
} curl;

struct download {
        GString *text;
        size_t max;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
        struct download *download = data;

        if (size * count > download->max - download->text->len)
                return 0; /* ends it with CURLE_WRITE_ERROR */
        g_string_append_len(download->text, bytes, (gssize) (size * count));
        return size * count;
}

/* Under the name that upstream has, and the one of Debian's build with GnuTLS. */
static void *find(const char *name)
{
        static const char *const sonames[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
        void *function = NULL;

        for (size_t i = 0; !function && i < G_N_ELEMENTS(sonames); i++)
                function = tn_library_find(sonames[i], name);
        return function;
}

static bool load(GError **error)
{
        curl.global_init = (__typeof__(curl.global_init)) find("curl_global_init");
        curl.init = (__typeof__(curl.init)) find("curl_easy_init");
        curl.setopt = (__typeof__(curl.setopt)) find("curl_easy_setopt");
        curl.perform = (__typeof__(curl.perform)) find("curl_easy_perform");
        curl.strerror = (__typeof__(curl.strerror)) find("curl_easy_strerror");
        curl.cleanup = (__typeof__(curl.cleanup)) find("curl_easy_cleanup");
        if (!curl.global_init || !curl.init || !curl.setopt || !curl.perform || !curl.strerror ||
            !curl.cleanup)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "fetching needs libcurl (libcurl.so.4), which is not installed");
        return curl.global_init(CURL_GLOBAL_DEFAULT) == 0 ||
               tn_error_set(error, TN_ERROR_FAILED, "libcurl cannot be used");
}

static void set_options(CURL *handle, const char *url, struct download *download, char *reason)
{
        curl.setopt(handle, CURLOPT_URL, url);
        curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl.setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        curl.setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
        curl.setopt(handle, CURLOPT_MAXREDIRS, REDIRECTS);
        curl.setopt(handle, CURLOPT_FAILONERROR, 1L);
        curl.setopt(handle, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
        curl.setopt(handle, CURLOPT_TIMEOUT, WHOLE_S);
        curl.setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl.setopt(handle, CURLOPT_USERAGENT, "tenon-fetch/" TN_VERSION);
        curl.setopt(handle, CURLOPT_WRITEFUNCTION, on_bytes);
        curl.setopt(handle, CURLOPT_WRITEDATA, download);
        curl.setopt(handle, CURLOPT_ERRORBUFFER, reason);
}

/* NULL with @error. Free with g_free(). */
static char *fetch(const char *url, size_t max, GError **error)
{
        g_autoptr(GString) text = g_string_new(NULL);
        struct download download = {text, max};
        char reason[CURL_ERROR_SIZE] = "";
        CURL *handle = curl.init();
        CURLcode code;

        if (!handle) {
                (void) tn_error_set(error, TN_ERROR_FAILED, "libcurl cannot be used");
                return NULL;
        }
        set_options(handle, url, &download, reason);
        code = curl.perform(handle);
        curl.cleanup(handle);
        if (code == CURLE_WRITE_ERROR)
                (void) tn_error_set(error, TN_ERROR_LIMIT, "%s has more than %zu bytes", url, max);
        else if (code != CURLE_OK)
                (void) tn_error_set(error, TN_ERROR_FAILED, "get %s: %s", url,
                                    *reason ? reason : curl.strerror(code));
        else if (memchr(text->str, '\0', text->len))
                (void) tn_error_set(error, TN_ERROR_INVALID, "%s is no text", url);
        else
                return g_string_free(g_steal_pointer(&text), FALSE);
        return NULL;
}

/* Both or nothing: a manifest without its signature is worth less than the pair that is there already. */
static bool fetch_pair(const struct tn_env *env, const char *url, const char *output, GError **error)
{
        g_autofree char *signature_url = g_strconcat(url, ".minisig", NULL);
        g_autofree char *path = g_build_filename(output + 1, "manifest.json", NULL);
        g_autofree char *signature_path = g_strconcat(path, ".minisig", NULL);
        g_autofree char *manifest = fetch(url, MANIFEST_MAX, error), *signature = NULL;

        if (!manifest)
                return false;
        signature = fetch(signature_url, SIGNATURE_MAX, error);
        return signature && tn_replace_file(env, signature_path, signature, 0644, error) &&
               tn_replace_file(env, path, manifest, 0644, error);
}

static bool run(const struct tn_env *env, const char *given, const char *output, GError **error)
{
        g_autoptr(tn_config_t) config = tn_config_new(env, TN_PATH_CONFIG, false, error);
        const char *url = given;

        if (!config)
                return false;
        if (!url)
                url = tn_config_get_nonempty(config, "update", "manifest-url");
        if (!url)
                return true; /* none is wanted */
        if (!g_str_has_prefix(url, "http://") && !g_str_has_prefix(url, "https://"))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "manifest-url '%s' begins neither with https:// nor with http://", url);
        if (!g_path_is_absolute(output))
                return tn_error_set(error, TN_ERROR_INVALID, "--output must be an absolute path");
        return load(error) && fetch_pair(env, url, output, error);
}

int main(int argc, char **argv)
{
        g_autofree char *url = NULL, *output = NULL, *fallback = g_path_get_dirname(TN_PATH_FETCHED);
        const GOptionEntry entries[] = {
                {"url", 0, 0, G_OPTION_ARG_STRING, &url, "Fetch this, whatever manifest-url is", "URL"},
                {"output", 0, 0, G_OPTION_ARG_FILENAME, &output, "The folder for the two files", "FOLDER"},
                {NULL},
        };
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        bool ok;

        g_option_context_set_summary(context, "Fetches the manifest of versions and its signature.");
        g_option_context_add_main_entries(context, entries, NULL);
        if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
                fprintf(stderr, "tenon-fetch: %s; see tenon-fetch(8)\n",
                        error ? error->message : "unexpected argument");
                return 2;
        }
        if (!tn_env_init_system(&env, NULL, &error)) {
                fprintf(stderr, "tenon-fetch: %s\n", error->message);
                return 1;
        }
        ok = run(&env, url, output ? output : fallback, &error);
        if (!ok)
                fprintf(stderr, "tenon-fetch: %s\n", error->message);
        tn_env_deinit(&env);
        return ok ? 0 : 1;
}
