// libcurl, with a function for each kind of argument that its variadic ones take: Swift cannot call those.
#pragma once

// The checks want options that are constants where they are used.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static inline CURLcode zp_curl_set_long(CURL *transfer, CURLoption option, long value) {
    return curl_easy_setopt(transfer, option, value);
}

// Copies the text, except for CURLOPT_POSTFIELDS.
static inline CURLcode zp_curl_set_text(CURL *transfer, CURLoption option, const char *text) {
    return curl_easy_setopt(transfer, option, text);
}

static inline CURLcode zp_curl_set_pointer(CURL *transfer, CURLoption option, void *value) {
    return curl_easy_setopt(transfer, option, value);
}

typedef size_t (*zp_curl_data)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode zp_curl_set_data(CURL *transfer, CURLoption option, zp_curl_data function) {
    return curl_easy_setopt(transfer, option, function);
}

static inline int zp_curl_set_up_socket(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)context, (void)purpose;
    unsigned int milliseconds = 60000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    return CURL_SOCKOPT_OK;
}

// A connection ends when nothing that was sent on it has been acknowledged for a minute.
static inline CURLcode zp_curl_limit_silence(CURL *transfer) {
    return curl_easy_setopt(transfer, CURLOPT_SOCKOPTFUNCTION, zp_curl_set_up_socket);
}

static inline long zp_curl_status(CURL *transfer) {
    long status = 0;
    curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static inline void *zp_curl_private(CURL *transfer) {
    char *value = NULL;
    curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &value);
    return value;
}

static inline void zp_curl_multi_callbacks(
    CURLM *transfers, curl_socket_callback socket, curl_multi_timer_callback timer, void *context
) {
    curl_multi_setopt(transfers, CURLMOPT_SOCKETFUNCTION, socket);
    curl_multi_setopt(transfers, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(transfers, CURLMOPT_TIMERFUNCTION, timer);
    curl_multi_setopt(transfers, CURLMOPT_TIMERDATA, context);
}

// A transfer that has ended, and how; NULL if there is none.
static inline CURL *zp_curl_multi_next_ended(CURLM *transfers, CURLcode *result) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(transfers, &left));)
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    return NULL;
}
