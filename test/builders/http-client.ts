import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface HttpQuestion {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string | object | undefined;
}

/** Asks over a connection of its own, with nothing between the test and the wire. An object goes as JSON. */
export async function ask(origin: string, question: HttpQuestion): Promise<HttpAnswer> {
  const { method, path, headers = {}, body } = question;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = isJson ? Buffer.from(JSON.stringify(body)) : body;
  const length = bytes === undefined ? {} : { 'content-length': String(Buffer.byteLength(bytes)) };
  const type = isJson ? { 'content-type': 'application/json' } : {};
  const options: RequestOptions = { method, agent: false, headers: { ...type, ...length, ...headers } };
  return await new Promise<HttpAnswer>((resolve, reject) => {
    const outgoing = request(new URL(path, origin), options, (incoming) => {
      const { statusCode = 0, headers: answerHeaders } = incoming;
      buffer(incoming).then(
        (answer) =>
          resolve({ status: statusCode, headers: answerHeaders, body: answer, json: jsonFrom(answer) }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function jsonFrom(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
