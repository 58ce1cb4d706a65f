import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { CofreError } from '@cofre/shared/errors';

/**
 * The body of a request as a stream that may be destroyed while the connection lives on. Whoever refuses a body in its
 * middle destroys it, and with Node's own stream that would cut the connection before the refusal could be sent; here
 * the rest is read and dropped. The stream fails when the client goes away before `lengthBytes` have come.
 */
export function openBody(incoming: IncomingMessage, lengthBytes: number): Readable {
  let receivedBytes = 0;
  const body = new Readable({
    highWaterMark: incoming.readableHighWaterMark,
    read: () => incoming.resume(),
    destroy(error, callback) {
      incoming.off('data', onData);
      incoming.off('end', onEnd);
      incoming.off('close', onClose);
      if (!incoming.destroyed) incoming.resume();
      callback(error);
    },
  });
  const onData = (data: Buffer) => {
    receivedBytes += data.length;
    if (!body.push(data)) incoming.pause();
  };
  const onEnd = () => body.push(null);
  const onClose = () => {
    if (!incoming.complete) body.destroy(endedEarly(receivedBytes, lengthBytes));
  };
  incoming.on('data', onData);
  incoming.on('end', onEnd);
  incoming.on('close', onClose);
  // A body that failed before it was opened emits nothing any more.
  if (incoming.destroyed && !incoming.complete) body.destroy(endedEarly(0, lengthBytes));
  return body;
}

/**
 * Frees pieces of a body that nobody needs any more. Left to the collector, which hardly notices memory outside its
 * heap, they cost it nearly two seconds of work for each gigabyte that comes.
 * @param pieces as Node gave them; one that shares its memory with others is left alone
 */
export function freePieces(pieces: readonly Buffer[]): void {
  for (const { buffer, length } of pieces) {
    if (buffer.byteLength === length && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}

function endedEarly(receivedBytes: number, lengthBytes: number): CofreError {
  const problem = `the body ended after ${receivedBytes} of ${lengthBytes} bytes`;
  return new CofreError('invalid_request', { problem });
}
