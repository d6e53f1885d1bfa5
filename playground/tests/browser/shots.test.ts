/**
 * Pictures of the page, for docs/ and for who changes it to look at: with SCREENSHOTS=FOLDER they are written there.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { choose, file, FIXTURES, NO_CHROMIUM, open, quit, verdict, type Page } from './chromium.js';

const FOLDER = process.env['SCREENSHOTS'];
const SKIP = NO_CHROMIUM || (FOLDER === undefined ? 'SCREENSHOTS names no folder' : false);
const SUM = readFileSync(join(FIXTURES, 'hello/go.sum'), 'utf8').replace('h1:oOW0eioCTA6', 'h1:ZOW0eioCTA6');

after(quit);

async function shoot(page: Page, name: string): Promise<void> {
  // What fades or is drawn in the next frame is there.
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(FOLDER ?? '.', `${name}.png`) });
}

const sample = async (page: Page, name: string): Promise<void> => {
  await page.locator(`[data-sample="${name}"]`).click();
  await page.getByText(`${name}.evidence`, { exact: true }).waitFor();
  await verdict(page);
};

test('pictures of a wide screen', { skip: SKIP }, async (t) => {
  const { page, go } = await open(t, { context: { viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' } });
  await go();
  await shoot(page, 'playground-start');
  await choose(page, file('go.sum', SUM), file('go.mod', readFileSync(join(FIXTURES, 'hello/go.mod'))));
  await page.locator('#run').click();
  await verdict(page);
  await shoot(page, 'playground-finding');
});

test('pictures of the way and of the claims, dark', { skip: SKIP }, async (t) => {
  const context = { colorScheme: 'dark', viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' } as const;
  const { page, go } = await open(t, { context });
  await go();
  await sample(page, 'good');
  await shoot(page, 'playground-evidence');
  await page.locator('#way-title').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'To the root', exact: true }).click();
  for (let at = 0; at < 4; at += 1) await page.getByRole('button', { name: 'Previous' }).click();
  await page.locator('section', { has: page.locator('#way-title') }).evaluate((one) => one.scrollIntoView());
  await shoot(page, 'playground-proof');
});

test('pictures of a telephone', { skip: SKIP }, async (t) => {
  const context = {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    reducedMotion: 'reduce',
  } as const;
  const { page, go } = await open(t, { context });
  await go();
  await shoot(page, 'playground-mobile-start');
  await sample(page, 'tampered');
  await shoot(page, 'playground-mobile');
});
