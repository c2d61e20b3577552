"""SPDY/3.1 for kubectl: several streams on one connection, over TCP or inside of a WebSocket.

What belongs here: frames and header blocks. What does not: what the streams carry (channels.py, portforward.py).
Everything runs on the loop thread of the server. There is no flow control: Kubernetes' own library has none, either.
"""
import struct
import zlib

LARGEST_FRAME = 2 ** 20  # bytes; kubectl sends 32 KiB at most
VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
WORDS = (
    'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow '
    'authorization cache-control connection content-base content-encoding content-language content-length '
    'content-location content-md5 content-range content-type date etag expect expires from host if-match '
    'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma '
    'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade '
    'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie '
    'keep-alive origin')
REST = (
    '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative '
    'Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 '
    'Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec '
    '00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,'
    'application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset='
    'iso-8859-1,utf-,*,enq=0.')


def with_length(text):
    data = text.encode('utf8')
    return struct.pack('>I', len(data)) + data


# What both sides of SPDY/3 know before they compress the first header
DICTIONARY = b''.join(with_length(word.replace('_', ' ')) for word in WORDS.split(' ')) + REST.encode('ascii')


class ProtocolError(Exception):
    """The client does not speak SPDY/3.1."""


class Stream(object):
    """One stream that the client has opened.

    headers (dict): lower-case names.
    on_data(bytes), on_end(): called for what the client sends; whoever takes the stream sets them.
    """

    def __init__(self, session, number, headers):
        self.session = session
        self.number = number
        self.headers = headers
        self.on_data = lambda data: None
        self.on_end = lambda: None

    def send(self, data):
        """Send data. Return a Future that resolves when the connection has taken it."""
        return self.session.send(struct.pack('>II', self.number, len(data)) + data)

    def end(self):
        """Send that no more data will follow."""
        return self.session.send(struct.pack('>II', self.number, FIN << 24))

    def reset(self):
        self.session.streams.pop(self.number, None)
        return self.session.send(control(RST_STREAM, struct.pack('>II', self.number, 5)))


class Session(object):
    """One connection.

    send(bytes): writes to the connection, and returns a Future.
    on_stream(Stream): called for each stream that the client opens. The stream has been accepted.
    """

    def __init__(self, send, on_stream):
        self.send = send
        self.on_stream = on_stream
        self.streams = {}
        self._received = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, data):
        """Handle bytes that the client has sent. Raise ProtocolError."""
        self._received += data
        while len(self._received) >= 8:
            head, size = struct.unpack('>II', bytes(self._received[:8]))
            flags, size = size >> 24, size & 0xffffff
            if size > LARGEST_FRAME:
                raise ProtocolError('a frame of %d bytes' % size)
            if len(self._received) < 8 + size:
                return
            payload = bytes(self._received[8:8 + size])
            del self._received[:8 + size]
            if head >> 31:
                self.handle_control(head & 0xffff, flags, payload)
            else:
                self.handle_data(head, flags, payload)

    def handle_data(self, number, flags, payload):
        stream = self.streams.get(number)
        if stream is None:
            return
        if payload:
            stream.on_data(payload)
        if flags & FIN:
            stream.on_end()

    def handle_control(self, kind, flags, payload):
        if kind == SYN_STREAM:
            self.open_stream(flags, payload)
        elif kind == PING:
            self.send(control(PING, payload))
        elif kind == RST_STREAM:
            stream = self.streams.pop(struct.unpack('>I', payload[:4])[0], None)
            if stream:
                stream.on_end()

    def open_stream(self, flags, payload):
        if len(payload) < 10:
            raise ProtocolError('a short SYN_STREAM')
        number = struct.unpack('>I', payload[:4])[0] & 0x7fffffff
        stream = self.streams[number] = Stream(self, number, self.parse_headers(payload[10:]))
        reply = self._deflate.compress(struct.pack('>I', 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.send(control(SYN_REPLY, struct.pack('>I', number) + reply))
        self.on_stream(stream)
        if flags & FIN:
            stream.on_end()

    def parse_headers(self, block):
        try:
            text = self._inflate.decompress(block, LARGEST_FRAME)
            count, position, strings = struct.unpack('>I', text[:4])[0], 4, []
            for _ in range(2 * count):
                size = struct.unpack('>I', text[position:position + 4])[0]
                strings.append(text[position + 4:position + 4 + size].decode('utf8'))
                position += 4 + size
        except (zlib.error, struct.error, UnicodeDecodeError) as e:
            raise ProtocolError('headers: %s' % e)
        return dict(zip((name.lower() for name in strings[::2]), strings[1::2]))

    def end(self):
        """Tell the streams that the connection has ended."""
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.on_end()


def control(kind, payload, flags=0):
    return struct.pack('>HHI', 0x8000 | VERSION, kind, flags << 24 | len(payload)) + payload
