import { type Socket, isIP } from 'node:net';

import { TransportError } from '#pkg/client';

/** Where the tunnel is to end. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

const LONGEST_HEAD = 64 * 1024;

/** Asks an HTTP proxy for a tunnel (CONNECT). The socket then speaks to the destination. */
export async function connectTunnel(socket: Socket, proxy: URL, to: Destination): Promise<void> {
  const authority = `${isIP(to.host) === 6 ? `[${to.host}]` : to.host}:${to.port}`;
  const login =
    proxy.username === '' ? '' : `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const authorization = login === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  const head = await readUntil(socket, (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end < 0 ? undefined : end + 4;
  });
  const status = /^HTTP\/1\.[01] (\d{3})(.*)/.exec(head.toString('latin1'));
  if (status?.[1] !== '200') {
    throw proxyError(
      proxy,
      `refused the tunnel to ${authority}: ${status === null ? 'not an HTTP answer' : status[1]! + status[2]!}`,
    );
  }
}

/** Asks a SOCKS 5 proxy for a connection (RFC 1928, with user name and password of RFC 1929). The proxy resolves names. */
export async function socksTunnel(socket: Socket, proxy: URL, to: Destination): Promise<void> {
  const withLogin = proxy.username !== '';
  socket.write(Buffer.from(withLogin ? [5, 2, 0, 2] : [5, 1, 0]));
  const greeting = await readUntil(socket, (bytes) => (bytes.length < 2 ? undefined : 2));
  if (greeting[0] !== 5) throw proxyError(proxy, 'does not speak SOCKS 5');
  if (greeting[1] === 2) {
    const user = Buffer.from(decodeURIComponent(proxy.username));
    const password = Buffer.from(decodeURIComponent(proxy.password));
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    const verdict = await readUntil(socket, (bytes) => (bytes.length < 2 ? undefined : 2));
    if (verdict[1] !== 0) throw proxyError(proxy, 'refused the user name or password');
  } else if (greeting[1] !== 0) {
    throw proxyError(proxy, 'demands an authentication we do not have');
  }
  const name = Buffer.from(to.host);
  socket.write(
    Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, Buffer.from([to.port >> 8, to.port & 0xff])]),
  );
  const reply = await readUntil(socket, socksReplyLength);
  if (reply[1] !== 0) throw proxyError(proxy, `cannot connect to ${to.host}:${to.port} (SOCKS reply ${reply[1]})`);
}

function socksReplyLength(bytes: Buffer): number | undefined {
  if (bytes.length < 5) return undefined;
  const address = bytes[3] === 1 ? 4 : bytes[3] === 4 ? 16 : 1 + bytes[4]!;
  const length = 4 + address + 2;
  return bytes.length < length ? undefined : length;
}

/** Reads until `complete` knows the answer's length, and leaves what follows in the socket. */
function readUntil(socket: Socket, complete: (bytes: Buffer) => number | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      socket.off('readable', onReadable).off('error', onError).off('close', onClose);
      settle();
    };
    const onError = (error: Error): void => finish(() => reject(error));
    const onClose = (): void => finish(() => reject(new TransportError('proxy', 'the proxy closed the connection')));
    const onReadable = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        bytes = Buffer.concat([bytes, chunk]);
        const length = complete(bytes);
        if (length !== undefined) {
          if (bytes.length > length) socket.unshift(bytes.subarray(length));
          finish(() => resolve(bytes.subarray(0, length)));
          return;
        }
        if (bytes.length > LONGEST_HEAD)
          finish(() => reject(new TransportError('proxy', 'the proxy answers without end')));
      }
    };
    socket.on('readable', onReadable).on('error', onError).on('close', onClose);
    onReadable();
  });
}

function proxyError(proxy: URL, what: string): TransportError {
  return new TransportError('proxy', `the proxy ${proxy.host} ${what}`, { target: proxy.host });
}
