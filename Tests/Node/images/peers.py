"""A server of many protocols, each on a port of its own, for tests that see whether first connections are whole.

    peers.py                the ports below
    peers.py websocket      a WebSocket on 8765 that echoes
    peers.py grpc           gRPC on 50051: echo, a stream of numbers, and grpc.health.v1.Health

    2525    SMTP: the server speaks first
    3306    a handshake as MySQL has it: the server speaks first
    7000    echoes until the client ends sending, then ends
    7001    "N\n": N bytes of a known pattern; then the server ends at once, whatever the client has read
    7002    "…\n": resets the connection
    7003    ends sending first, and prints how many bytes still came
    7004    prints whether the client ended or reset
    8080    HTTP/1.1: /bytes?n=N, /slow?ms=N, else the number of requests so far; with "Connection: close" it ends
"""

import asyncio
import os
import socket
import struct
import sys
import urllib.parse

from pattern import pattern

served = 0


def log(line):
    os.write(1, (line + "\n").encode())


async def smtp(reader, writer):
    writer.write(b"220 peers.test ESMTP\r\n")
    received = None
    while line := await reader.readline():
        word = line.split()[0].upper() if line.split() else b""
        if received is not None:
            if line == b".\r\n":
                log(f"mail of {received} bytes")
                received = None
                writer.write(b"250 taken\r\n")
            else:
                received += len(line)
        elif word == b"EHLO":
            writer.write(b"250-peers.test\r\n250 SIZE 10000000\r\n")
        elif word == b"DATA":
            received = 0
            writer.write(b"354 go on\r\n")
        elif word == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            writer.write(b"250 ok\r\n")
        await writer.drain()
    writer.close()


def packet(number, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


async def mysql(reader, writer):
    scramble = bytes(range(1, 21))
    greeting = b"\x0a8.0.0-peers\0" + struct.pack("<I", 1) + scramble[:8] + b"\0\xff\xf7\xff\x02\0\xff\xc1\x15"
    writer.write(packet(0, greeting + bytes(10) + scramble[8:] + b"\0mysql_native_password\0"))
    while header := await reader.read(4):
        while len(header) < 4:
            header += await reader.readexactly(4 - len(header))
        payload = await reader.readexactly(int.from_bytes(header[:3], "little"))
        if payload[:1] == b"\x01" and header[3] == 0:
            break  # COM_QUIT
        writer.write(packet(header[3] + 1, b"\0\0\0\x02\0\0\0"))
    writer.close()


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    writer.close()


async def bytes_then_end(reader, writer):
    writer.write(pattern(int(await reader.readline())))
    writer.close()


async def reset(reader, writer):
    await reader.readline()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def end_first(reader, writer):
    writer.write(b"that is all\n")
    writer.write_eof()
    count = 0
    while data := await reader.read(1 << 16):
        count += len(data)
    log(f"{count} bytes after the end")
    writer.close()


async def see_end(reader, writer):
    try:
        while await reader.read(1 << 16):
            pass
        log("the client ended")
    except ConnectionResetError:
        log("the client reset")
    writer.close()


async def http(reader, writer):
    global served
    while line := await reader.readline():
        address = urllib.parse.urlsplit(line.split()[1].decode())
        query = dict(urllib.parse.parse_qsl(address.query))
        fields = b""
        while (field := await reader.readline()).strip():
            fields += field.lower()
        served += 1
        if address.path == "/slow":
            await asyncio.sleep(int(query["ms"]) / 1000)
        body = pattern(int(query["n"])) if address.path == "/bytes" else b"%d\n" % served
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        if b"connection: close" in fields:
            break
    writer.close()


def quietly(serve):
    async def serve_one(reader, writer):
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    return serve_one


async def plain():
    protocols = {2525: smtp, 3306: mysql, 7000: echo, 7001: bytes_then_end, 7002: reset, 7003: end_first, 7004: see_end}
    servers = [
        await asyncio.start_server(quietly(serve), address, port, backlog=1024, start_serving=False)
        for port, serve in (protocols | {8080: http}).items()
        for address in ("0.0.0.0", "::")
    ]
    # All at once: with the durations of tests it may fall asleep as soon as it listens on the first.
    for server in servers:
        await server.start_serving()
    log("listening")
    await asyncio.Event().wait()


async def websocket():
    from websockets.asyncio.server import serve

    async def echo_messages(connection):
        async for message in connection:
            await connection.send(message)

    async with serve(echo_messages, None, 8765, max_size=None):
        log("listening")
        await asyncio.Event().wait()


def grpc():
    import concurrent.futures

    import grpc

    class Methods(grpc.GenericRpcHandler):
        def service(self, details):
            if details.method == "/grpc.health.v1.Health/Check":
                return grpc.unary_unary_rpc_method_handler(self.check)
            if details.method == "/zeropod.test.Peers/Echo":
                return grpc.unary_unary_rpc_method_handler(lambda request, _: request)
            if details.method == "/zeropod.test.Peers/Count":
                return grpc.unary_stream_rpc_method_handler(self.count)
            return None

        def check(self, _request, _context):
            log("health check")
            return b"\x08\x01"  # status: SERVING

        def count(self, request, _context):
            for number in range(int(request)):
                yield b"%d" % number

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[Methods()])
    server.add_insecure_port("[::]:50051")
    server.start()
    log("listening")
    server.wait_for_termination()


if sys.argv[1:] == ["grpc"]:
    grpc()
else:
    asyncio.run(websocket() if sys.argv[1:] == ["websocket"] else plain())
