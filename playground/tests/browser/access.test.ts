/** axe-core finds nothing, in every state of the page, in light and in dark. */

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type * as Axe from 'axe-core';
import { choose, file, FIXTURES, NO_CHROMIUM, open, PAGE, quit, REPOSITORY, verdict, type Page } from './chromium.js';

const require = createRequire(join(REPOSITORY, 'playground/package.json'));
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const SAMPLES = JSON.parse(readFileSync(join(PAGE, 'samples/index.json'), 'utf8')) as { name: string }[];
const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, path)));

async function clean(page: Page, what: string): Promise<void> {
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof Axe };
    const found = await axe.run(document, { resultTypes: ['violations'] });
    // One of each is enough to mend it.
    return found.violations.map(({ id, nodes: [first] }) => `${id}: ${first?.html} ${first?.failureSummary}`);
  });
  assert.equal(violations.join('\n'), '', what);
}

describe('accessibility', { skip: NO_CHROMIUM }, () => {
  after(quit);

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      test(`axe-core finds nothing, ${colorScheme}, ${width} pixels`, async (t) => {
        let answering = false;
        const { page, go } = await open(t, {
          // Later there is a database that never answers.
          change: (path, response) => {
            if (!answering || !path.startsWith('sumdb/')) return false;
            if (path.endsWith('/supported')) response.end();
            return true;
          },
          context: { colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce', bypassCSP: true },
          allow: ['status of 404'],
          serving: { sumdb: '/nonexistent' },
        });
        // In the browser's own world: the page's policy would not let it in.
        await page.addInitScript(AXE);
        await go();
        await clean(page, 'start');
        for (const { name } of SAMPLES) {
          await page.locator(`[data-sample="${name}"]`).click();
          await page.getByText(`${name}.evidence`, { exact: true }).waitFor();
          await verdict(page);
          for (const details of await page.locator('details').all())
            await details.evaluate((one) => one.setAttribute('open', ''));
          await clean(page, name);
        }
        const toRoot = page.getByRole('button', { name: 'To the root' });
        if (await toRoot.count()) await toRoot.click();
        await clean(page, 'the root');
        await page.getByRole('button', { name: /Remove .*\.evidence/ }).click();
        await choose(
          page,
          file('go.sum', fixture('hello/go.sum')),
          file('go.mod', fixture('hello/go.mod')),
          file('a\u202e.png', '%PDF'),
        );
        await clean(page, 'a checkout');
        await page.locator('#run').click();
        await page.getByText('No checksum database answers at').waitFor();
        await clean(page, 'nobody answers');
        answering = true;
        await page.locator('#run').click();
        await page.getByText('Asking: 11 requests').waitFor();
        await clean(page, 'running');
        await page.getByRole('button', { name: 'Stop' }).click();
        await page.locator('#progress').waitFor({ state: 'hidden' });
        await page.getByRole('button', { name: 'Edit', exact: true }).click();
        await clean(page, 'editing');
        await choose(page, file('b.json', fixture('sigstore-public/pypi/bundle.sigstore.json')));
        await page.getByLabel('Who must have signed').waitFor();
        await page.locator('#run').click();
        await page.getByText('Say who must have signed').waitFor();
        await clean(page, 'a bundle');
        await page.getByRole('button', { name: 'Remove b.json' }).click();
        for (const name of ['1.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']) {
          await choose(page, file(name, fixture(`tuf/teams/tuf/${name}`)));
        }
        await page.locator('#run').click();
        await verdict(page);
        await clean(page, 'TUF');
      });
    }
  }
});
