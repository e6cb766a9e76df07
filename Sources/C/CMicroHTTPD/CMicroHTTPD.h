// libmicrohttpd, without the variadic functions, which Swift cannot call.
#pragma once

#include <microhttpd.h>

// Serves a listening socket, which it takes over, without threads: the caller waits for the descriptor that
// `zp_http_descriptor` gives, and calls MHD_run.
static inline struct MHD_Daemon *zp_http_start(
    int listener, unsigned connections, unsigned seconds, MHD_AccessHandlerCallback handler,
    MHD_RequestCompletedCallback completed, void *context
) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handler, context, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, seconds, MHD_OPTION_NOTIFY_COMPLETED,
        completed, context, MHD_OPTION_END);
}

static inline int zp_http_descriptor(struct MHD_Daemon *server) {
    const union MHD_DaemonInfo *information = MHD_get_daemon_info(server, MHD_DAEMON_INFO_EPOLL_FD);
    return information ? information->epoll_fd : -1;
}

// A response with a copy of the bytes.
static inline struct MHD_Response *zp_http_response(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

// A field of the request's head; null if it has none of that name.
static inline const char *zp_http_field(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

// A value of the request's query; null if it has none of that name.
static inline const char *zp_http_parameter(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}
