import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test as plain } from 'vitest';
import { launchBrowser } from './browser.ts';
import { startSandboxServer } from './server.ts';
import type { SandboxServer } from './server.ts';
import type { Billing, Page as ListPage } from '../../web/surface.ts';
import { photograph, visit } from './visitor.ts';
import type { Scheme, Visitor } from './visitor.ts';

/**
 * Every page is looked at in both colour schemes and both layouts in CI (LOOKS=all); in the tests in the one that breaks more, dark
 * on a small screen.
 */
const EVERY_LOOK = [
  ['light', 1280],
  ['dark', 360],
] as const;
export const LOOKS: readonly (readonly [Scheme, number])[] =
  process.env['LOOKS'] === 'all' ? EVERY_LOOK : EVERY_LOOK.slice(1);

const UP_WITHIN_MS = 120_000;
const DOWN_WITHIN_MS = 60_000;

/** How the simulator behaves unless a test says otherwise. */
const CALM = { settleAfterMs: 5_000, wrong: {} };

/** One sandbox server and one browser for all tests of a file; `test` opens pages that at its end have nothing to complain about. */
export function openStage(settings: Readonly<Record<string, string>> = {}) {
  let server: SandboxServer | null = null;
  let browser: Browser | null = null;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startSandboxServer(settings), launchBrowser()]);
  }, UP_WITHIN_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, DOWN_WITHIN_MS);
  const stage = {
    get server(): SandboxServer {
      if (server === null) throw new Error('the server is there while tests run');
      return server;
    },
    get browser(): Browser {
      if (browser === null) throw new Error('the browser is there while tests run');
      return browser;
    },
    /** The wallet that a search by the name of its user finds first. */
    async walletOf(name: string): Promise<Billing> {
      const found = await stage.server.asOperator<ListPage<Billing>>(`/v1/billings?search=${encodeURIComponent(name)}`);
      const [wallet] = found.items;
      if (!wallet) throw new Error(`no wallet of ${name}`);
      return wallet;
    },
  };
  const test = plain.extend<{ open: (scheme?: Scheme, width?: number) => Promise<Page> }>({
    open: async ({ task }, use) => {
      const visitors: Visitor[] = [];
      await use(async (scheme = 'light', width = 1280) => {
        const visitor = await visit(stage.browser, { url: stage.server.url, scheme, width });
        visitors.push(visitor);
        return visitor.page;
      });
      const name = task.name.replaceAll(/[^a-z0-9]+/gi, '-');
      if (task.result?.state === 'fail') console.error(await whatHappened(stage.server));
      await stage.server.control('switches', CALM);
      for (const [number, visitor] of visitors.entries()) {
        if (task.result?.state === 'fail') await photograph(visitor.page, `failed-${name}-${number}`);
        await visitor.leave();
        expect(visitor.complaints).toEqual([]);
      }
    },
  });
  return Object.assign(stage, { test });
}

/** For whoever reads of a failure that they cannot have again: what the server said, and what became of the provider's events. */
async function whatHappened(server: SandboxServer): Promise<string> {
  const sent = await server.control('deliveries/flush', {});
  return `the server said:\n${server.log()}\nthe provider's deliveries:\n${JSON.stringify(sent, null, 1)}`;
}
