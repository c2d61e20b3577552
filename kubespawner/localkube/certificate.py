"""A fresh self-signed certificate for 127.0.0.1: kubectl sends its token over TLS only.

What belongs here: one P-256 key, one X.509 certificate, in PEM. What does not: any other use; this is no general
cryptography, and takes no care of timing. Pure but for randomness and the time of day; any thread.
"""
import base64
import hashlib
import secrets
import time

# The curve P-256: y² = x³ - 3x + b over the integers modulo PRIME; POINT generates a group of ORDER points.
PRIME = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
POINT = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
         0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)

# Object identifiers, as DER writes them.
EC_PUBLIC_KEY = bytes.fromhex('06072a8648ce3d0201')
CURVE_P256 = bytes.fromhex('06082a8648ce3d030107')
ECDSA_WITH_SHA256 = bytes.fromhex('06082a8648ce3d040302')
COMMON_NAME = bytes.fromhex('0603550403')
SUBJECT_KEY, KEY_USAGE, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, AUTHORITY_KEY = (
    bytes.fromhex('0603551d' + number) for number in ('0e', '0f', '11', '13', '23'))

CRITICAL = CERTIFICATE_AUTHORITY = bytes.fromhex('0101ff')
MAY_SIGN = bytes.fromhex('03020284')  # a signature, and certificates: its own

INTEGER, BIT_STRING, OCTET_STRING, UTF8_STRING, TIME, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x0c, 0x18, 0x30, 0x31
VALID_DAYS = 365


def inverse(value, modulus):
    return pow(value, modulus - 2, modulus)


def add(p, q):
    """Return the sum of two points of the curve; None is the point at infinity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % PRIME == 0:
        return None
    if p == q:
        slope = (3 * p[0] * p[0] - 3) * inverse(2 * p[1], PRIME) % PRIME
    else:
        slope = (q[1] - p[1]) * inverse(q[0] - p[0], PRIME) % PRIME
    x = (slope * slope - p[0] - q[0]) % PRIME
    return x, (slope * (p[0] - x) - p[1]) % PRIME


def multiply(scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def sign(key, message):
    """Return the ECDSA signature of a message, in DER."""
    digest = int.from_bytes(hashlib.sha256(message).digest(), 'big')
    nonce = 1 + secrets.randbelow(ORDER - 1)
    r = multiply(nonce, POINT)[0] % ORDER
    s = inverse(nonce, ORDER) * (digest + r * key) % ORDER
    return der(SEQUENCE, integer(r), integer(s))


def der(tag, *parts):
    """Return one DER element."""
    body = b''.join(parts)
    length = len(body).to_bytes(4, 'big').lstrip(b'\0') or b'\0'
    if len(body) >= 128:
        length = bytes([128 + len(length)]) + length
    return bytes([tag]) + length + body


def integer(value):
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, 'big'))


def extension(identifier, value, critical=b''):
    return der(SEQUENCE, identifier, critical, der(OCTET_STRING, value))


def extensions(point):
    """Return what makes the certificate its own authority, for 127.0.0.1, in the eyes of the strictest verifier."""
    identifier = hashlib.sha256(point).digest()[:20]
    return der(SEQUENCE,
               extension(ALTERNATIVE_NAME, der(SEQUENCE, der(0x87, bytes([127, 0, 0, 1])), der(0x82, b'localhost'))),
               extension(BASIC_CONSTRAINTS, der(SEQUENCE, CERTIFICATE_AUTHORITY), CRITICAL),
               extension(KEY_USAGE, MAY_SIGN, CRITICAL),
               extension(SUBJECT_KEY, der(OCTET_STRING, identifier)),
               extension(AUTHORITY_KEY, der(SEQUENCE, der(0x80, identifier))))


def pem(title, body):
    lines = base64.encodebytes(body).decode('ascii').replace('\n', '')
    wrapped = '\n'.join(lines[i:i + 64] for i in range(0, len(lines), 64))
    return '-----BEGIN %s-----\n%s\n-----END %s-----\n' % (title, wrapped, title)


def make():
    """Return (private key, certificate), both PEM."""
    key = 1 + secrets.randbelow(ORDER - 1)
    x, y = multiply(key, POINT)
    point = der(BIT_STRING, b'\0\4' + x.to_bytes(32, 'big') + y.to_bytes(32, 'big'))
    name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, b'localkube'))))
    now, day = time.time(), 86400
    validity = [der(TIME, time.strftime('%Y%m%d%H%M%SZ', time.gmtime(moment)).encode('ascii'))
                for moment in (now - day, now + VALID_DAYS * day)]
    algorithm = der(SEQUENCE, ECDSA_WITH_SHA256)
    content = der(SEQUENCE, der(0xa0, integer(2)), integer(secrets.randbits(64)), algorithm, name,
                  der(SEQUENCE, *validity), name, der(SEQUENCE, der(SEQUENCE, EC_PUBLIC_KEY, CURVE_P256), point),
                  der(0xa3, extensions(point)))
    certificate = der(SEQUENCE, content, algorithm, der(BIT_STRING, b'\0' + sign(key, content)))
    private = der(SEQUENCE, integer(1), der(OCTET_STRING, key.to_bytes(32, 'big')), der(0xa0, CURVE_P256),
                  der(0xa1, point))
    return pem('EC PRIVATE KEY', private), pem('CERTIFICATE', certificate)
