import type { App } from '../../src/http/context.ts';
import { answerOf, type Answer } from '../transport/site.ts';

const ORIGIN = 'http://127.0.0.1:9920';

/** A browser as far as the server can tell: it keeps cookies, says where a request comes from, and shows pages to a person. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #app: App;

  constructor(app: App, cookies: ReadonlyMap<string, string> = new Map()) {
    this.#app = app;
    this.cookies = new Map(cookies);
  }

  /** Follows a link: to our own address, or a path of it. */
  visit(address: string): Promise<Answer> {
    const { pathname, search } = new URL(address, ORIGIN);
    return this.#send(`${pathname}${search}`, 'GET', { accept: 'text/html,application/xhtml+xml' });
  }

  /** What a page asks. */
  async ask(path: string): Promise<Answer> {
    return await this.#send(path, 'GET', { accept: 'application/json' });
  }

  /** What a page sends, with the form token of the session. */
  async send(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    const own = { origin: ORIGIN, 'sec-fetch-site': 'same-origin', 'x-form-token': (await this.session()).formToken };
    return await this.#send(path, 'POST', { accept: 'application/json', ...own, ...headers }, JSON.stringify(body));
  }

  /** Who is signed in. */
  async session(): Promise<{ readonly role: unknown; readonly userSid: string | null; readonly formToken: string }> {
    const { json } = await this.ask('/v1/session');
    const user = json['user'] as { sid: string } | null;
    const session = json['session'] as { form_token: string } | null;
    return { role: json['role'], userSid: user?.sid ?? null, formToken: session?.form_token ?? '' };
  }

  async #send(path: string, method: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.#app.request(path, {
      method,
      headers: { ...headers, ...type, ...(cookie === '' ? {} : { cookie }) },
      ...(body === undefined ? {} : { body }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = '', rest = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(set) ?? [];
      if (/max-age=0/i.test(rest)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return await answerOf(response);
  }
}
