/**
 * The page in a real Chromium, from a sub-folder of a plain file server. Every test also fails for an error or a warning on the console, a
 * breach of the policy, and a request to another origin or out of the folder (chromium.ts).
 */

import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { fromUtf8, toUtf8 } from '../../verifier/bytes.js';
import {
  readEvidence,
  Recorder,
  syncBlob,
  Verifier,
  writeEvidence,
  replay,
  type Evidence,
  type Job,
} from '../../verifier/index.js';
import { recognise } from '../../page/recognise.js';
import { toFragment } from '../../page/share.js';
import {
  choose,
  file,
  FIXTURES,
  NO_CHROMIUM,
  open,
  PAGE,
  quit,
  ready,
  REPOSITORY,
  taken,
  verdict,
  type FileChooser,
  type Page,
} from './chromium.js';
import { serve } from './server.js';

const SUM = readFileSync(join(FIXTURES, 'hello/go.sum'), 'utf8');
const MOD = readFileSync(join(FIXTURES, 'hello/go.mod'), 'utf8');
/** One character of one hash is another. */
const TAMPERED = SUM.replace('h1:oOW0eioCTA6', 'h1:ZOW0eioCTA6');
const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, path)));
const built = (path: string): Uint8Array => new Uint8Array(readFileSync(join(PAGE, path)));

interface Sample {
  readonly name: string;
}
const SAMPLES = JSON.parse(readFileSync(join(PAGE, 'samples/index.json'), 'utf8')) as Sample[];
const sample = (name: string): Uint8Array => built(`samples/${name}.evidence`);
const ABSENT = { tag: 'err', val: 'absent' } as const;
const WORDS = { pass: 'Pass', fail: 'Fail', incomplete: 'Incomplete' } as const;

/** As the program writes a report into a file. */
const asWritten = (report: Uint8Array): Uint8Array => Uint8Array.of(...report, 10);

const lookups = (asked: readonly string[]): string[] =>
  asked.filter((path) => path.startsWith('sumdb/') && !path.endsWith('/supported'));
const run = (page: Page): Promise<void> => page.locator('#run').click();

describe('the page', { skip: NO_CHROMIUM }, () => {
  after(quit);

  test('every sample is judged again, to the byte', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    assert.equal(await page.locator('[data-sample]').count(), SAMPLES.length);
    for (const { name } of SAMPLES) {
      const { outcome } = await readEvidence(sample(name));
      await page.locator(`[data-sample="${name}"]`).click();
      await page.getByText(`${name}.evidence`, { exact: true }).waitFor();
      assert.equal(await verdict(page), WORDS[outcome.verdict], name);
      await page.getByText('byte for byte, without a network').waitFor();
      assert.deepEqual(await taken(page, 'Report (JSON)'), asWritten(outcome.report), name);
      assert.deepEqual(await taken(page, 'Evidence'), sample(name), name);
      const sarif = JSON.parse(fromUtf8(await taken(page, 'SARIF')) ?? '') as { version: string };
      assert.equal(sarif.version, '2.1.0');
    }
    assert.deepEqual(lookups(server.asked), []);
  });

  test('a go.sum and its go.mod are one checkout, looked up after a click and not before', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    await choose(page, file('go.sum', TAMPERED), file('go.mod', MOD));
    await page.getByRole('button', { name: 'Look up 11 module versions and verify' }).waitFor();
    await page
      .getByText(`Looking up sends the module paths and versions, and nothing else, to ${server.url}`)
      .waitFor();
    const before = server.asked.filter((path) => path.startsWith('sumdb/'));
    assert.deepEqual(before, []);
    await run(page);
    assert.equal(await verdict(page), 'Fail');
    await page.getByText('19 lines, 18 verified by sum.golang.org (tree 69,959,272); findings: 1 critical').waitFor();
    assert.ok(lookups(server.asked).length > 20);
    // On its line, with the part that is wrong underlined.
    const wrong = page.locator('.line[data-line="3"]');
    assert.match((await wrong.getAttribute('class')) ?? '', /line-fail/);
    assert.equal(await wrong.locator('.squiggle').textContent(), 'h1:ZOW0eioCTA6cOiMLiUPZOpcVxMig6NIQQ7OS05n1F4g=');
    const lens = page.locator('.line[data-line="3"] + .lens');
    await lens.getByText('gosum-mismatch', { exact: true }).waitFor();
    await lens.getByText('h1:oOW0eioCTA6cOiMLiUPZOpcVxMig6NIQQ7OS05n1F4g=').waitFor();
    // What is taken away is evidence that Node.js replays to the same bytes.
    const evidence = await readEvidence(await taken(page, 'Evidence'));
    const { outcome } = await replay(await Verifier.load(built('modanchor.wasm')), evidence);
    assert.deepEqual(await taken(page, 'Report (JSON)'), asWritten(outcome.report));
    assert.equal(evidence.job.tool.component, (await Verifier.load(built('modanchor.wasm'))).digest);
    // A second run stands on what the first may keep, and asks nothing.
    const asked = lookups(server.asked).length;
    await choose(page, file('go.sum', SUM));
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    assert.equal(lookups(server.asked).length, asked);
    await page.getByText('the newest head of an earlier run').waitFor();
  });

  test('a file is judged alone without a look-up', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    await choose(
      page,
      file('go.sum', `${SUM}golang.org/x/sync v0.24.0 h1:AAAAGoDgyuvAKrhLQthUEzU/R378N78gXbBjxed7oA0=\n`),
    );
    await page.getByRole('button', { name: 'Judge the file alone' }).click();
    assert.equal(await verdict(page), 'Fail');
    await page.getByText('gosum-conflict').first().waitFor();
    assert.deepEqual(
      server.asked.filter((path) => path.startsWith('sumdb/')),
      [],
    );
  });

  test('where no database answers, nothing is sent, and it is said what to do', async (t) => {
    const { page, server, go } = await open(t, { serving: { sumdb: '/nonexistent' }, allow: ['status of 404'] });
    await go();
    await choose(page, file('go.sum', SUM));
    await run(page);
    await page.getByText('No checksum database answers at').waitFor();
    await page.getByText('modanchor verify --record run.evidence').first().waitFor();
    assert.deepEqual(lookups(server.asked), []);
    await page.getByRole('button', { name: 'Close this message' }).click();
    await page.getByRole('button', { name: 'Judge the file alone' }).click();
    assert.equal(await verdict(page), 'Incomplete');
  });

  test('look-ups go where the build says, and to the page’s own origin where that has nothing', async (t) => {
    const other = await serve({ page: PAGE, sumdb: join(FIXTURES, 'proxy'), headers: false }, (_, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*');
      return false;
    });
    t.after(() => other.close());
    const out = folder(t);
    const url = pathToFileURL(join(REPOSITORY, 'playground/page/build.mjs')).href;
    const { buildPage, policy } = (await import(url)) as {
      buildPage(out: string, options: object): Promise<void>;
      policy(sumdb: string, header: boolean): string;
    };
    const options = { bytes: built('modanchor.wasm'), version: '0.1.0', bundle: { bundle: true, target: 'es2023' } };
    await buildPage(out, { ...options, sumdb: other.url });
    assert.ok(policy(other.url, true).includes(`connect-src 'self' ${other.origin};`));
    for (const bad of [
      'http://example.com/',
      'https://example.com',
      'https://example.com/x?y/',
      'https://u@example.com/',
    ]) {
      await assert.rejects(buildPage(out, { ...options, sumdb: bad }), /an https URL with a slash at the end/, bad);
    }
    const { page, server, go } = await open(t, { serving: { page: out }, allow: [`request: ${other.url}`, 'REFUSED'] });
    await go();
    await choose(page, file('go.sum', SUM));
    await page.getByText(`${other.url}, or if that has no database to ${server.url}`).waitFor();
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    assert.ok(lookups(other.asked).length > 20);
    assert.deepEqual(
      server.asked.filter((path) => path.startsWith('sumdb/')),
      [],
    );
    await other.close();
    await page.reload();
    await choose(page, file('go.sum', SUM));
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    assert.ok(lookups(server.asked).length > 20);
  });

  test('a start page in place of data is no answer', async (t) => {
    const { page, go } = await open(t, {
      change: (path, response) => {
        if (!path.startsWith('sumdb/') || path.endsWith('supported')) return false;
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
        return true;
      },
    });
    await go();
    await choose(page, file('go.sum', SUM));
    await run(page);
    assert.equal(await verdict(page), 'Incomplete');
  });

  test('files are dropped', async (t) => {
    const { page, go } = await open(t);
    await go();
    const data = await page.evaluateHandle(
      ([sum, mod]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([sum ?? ''], 'go.sum'));
        transfer.items.add(new File([mod ?? ''], 'go.mod'));
        return transfer;
      },
      [SUM, MOD],
    );
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: data });
    assert.ok(await page.locator('body.dropping').count());
    await page.dispatchEvent('body', 'dragover', { dataTransfer: data });
    await page.dispatchEvent('body', 'drop', { dataTransfer: data });
    assert.equal(await page.locator('body.dropping').count(), 0);
    await run(page);
    assert.equal(await verdict(page), 'Pass');
  });

  test('text is pasted, and leaves only after a click', async (t) => {
    const { page, server, go } = await open(t, { context: { permissions: ['clipboard-read', 'clipboard-write'] } });
    await go();
    // What the service worker fetches for later has come.
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await page.evaluate((text) => navigator.clipboard.writeText(text), SUM);
    await page.locator('body').press('Control+V');
    await page.getByText('a go.sum · 1.6 kB').waitFor();
    // Typed, or pasted into the field by a screen reader's user.
    await page
      .locator('#paste')
      .fill('golang.org/x/sync v0.24.0/go.mod h1:sUUOizhqBxiL6pEWpqNLUiaJn1ShEbZ6BBqskPbjZm0=');
    await page.getByRole('button', { name: 'Take this text' }).click();
    await page.getByRole('button', { name: 'Look up 1 module version and verify' }).waitFor();
    // What the service worker keeps for later is asked for by itself, and is not meant here.
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    const loaded = server.asked.length;
    await page.waitForTimeout(200);
    assert.equal(server.asked.length, loaded);
    assert.deepEqual(
      server.asked.filter((path) => path.startsWith('sumdb/')),
      [],
    );
    await run(page);
    assert.equal(await verdict(page), 'Pass');
  });

  test('the keyboard alone is enough', async (t) => {
    const { page, go } = await open(t);
    // Listened for from the start: Chromium must have been told by the time that the key is pressed.
    const chosen = new Promise<FileChooser>((resolve) => void page.once('filechooser', resolve));
    await go();
    const focused = (): Promise<string> =>
      page.evaluate(
        () => document.activeElement?.getAttribute('data-sample') ?? document.activeElement?.textContent ?? '',
      );
    const tab = async (to: string): Promise<void> => {
      for (let at = 0; at < 80; at += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()) === to) return;
      }
      assert.fail(`the keyboard does not reach ${to}`);
    };
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the input');
    await page.keyboard.press('Enter');
    await tab('tampered');
    await page.keyboard.press('Enter');
    assert.equal(await verdict(page), 'Fail');
    // The result has the focus, so reading goes on there.
    await page.waitForFunction(() => document.activeElement?.id === 'verdict');
    await page.locator('#way-title').waitFor();
    await tab('Next');
    const place = page.locator('.way-controls .sub');
    const steps = Number(/of (\d+)/.exec((await place.textContent()) ?? '')?.[1]);
    assert.ok(steps > 20);
    for (let at = 1; at < steps; at += 1) await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', { name: 'The root: as signed' }).waitFor();
    await page.getByText('verifies with the database’s key, in this browser too').waitFor();
    assert.equal(await page.locator('.node-root').count(), 1);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.locator('.node-root').count(), 0);
    // The theme is a group of radio buttons.
    await page.locator('[data-theme-choice="auto"]').focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    // The file picker opens by its label's input.
    await page.locator('#choose').focus();
    await page.keyboard.press('Enter');
    await (await chosen).setFiles([file('go.sum', SUM)]);
    await page.getByText('a go.sum · 1.6 kB').waitFor();
  });

  test('the way of every record leads to the signed root, and its text says the same', async (t) => {
    const { page, go } = await open(t);
    await go();
    await page.locator('[data-sample="good"]').click();
    await verdict(page);
    const shows = page.getByRole('button', { name: /^Show proof of / });
    const count = await shows.count();
    assert.ok(count > 5);
    for (let at = 0; at < count; at += 1) {
      await shows.nth(at).click();
      await page.getByRole('button', { name: 'To the root', exact: true }).click();
      await page.getByRole('heading', { name: 'The root: as signed' }).waitFor();
      assert.equal(await page.locator('.node-root').count(), 1);
    }
    await page.getByText('All steps as text').click();
    const last = await page.locator('.way-text li').last().textContent();
    assert.match(
      last ?? '',
      /^The computed root L6xGIG9BJ5WLe0paJgb2RVNCdNi6wVyMUVOfn9Oo\/8s= is that of the head of 69,959,272/,
    );
  });

  test('a zip is hashed by the component, and compared with a go.sum', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    const zip = fixture('tuf/flat/example.com/plain/@v/v1.0.0.zip');
    await choose(page, file('v1.0.0.zip', zip));
    await page.getByText('a module zip: example.com/plain@v1.0.0').waitFor();
    await run(page);
    const verifier = await Verifier.load(built('modanchor.wasm'));
    const h1 = await verifier.h1Zip(syncBlob(zip), { path: 'example.com/plain', version: 'v1.0.0' });
    assert.ok(h1.tag === 'ok');
    assert.equal(await page.locator('#h1').textContent(), `example.com/plain v1.0.0 ${h1.val.h1}`);
    await choose(page, file('go.sum', `example.com/plain v1.0.0 h1:AAAAGoDgyuvAKrhLQthUEzU/R378N78gXbBjxed7oA0=\n`));
    await page.getByRole('button', { name: 'Judge the file alone' }).click();
    assert.equal(await verdict(page), 'Fail');
    await page.getByText('zip-mismatch').first().waitFor();
    assert.deepEqual(lookups(server.asked), []);
    // One that Go would refuse.
    await page.getByRole('button', { name: 'Remove go.sum' }).click();
    const broken = Uint8Array.from(zip);
    broken.set(toUtf8('x'), 40);
    await choose(page, file('broken.zip', broken), file('v1.0.0.zip', zip));
    await page.getByRole('button', { name: 'Remove v1.0.0.zip' }).click();
    await run(page);
    await page.getByText('The go command would refuse this zip').waitFor();
  });

  test('a bundle is verified against whom one expects', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    const bundle = fixture('sigstore-public/pypi/bundle.sigstore.json');
    const identity = 'https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2';
    const issuer = 'https://token.actions.githubusercontent.com';
    await choose(page, file('bundle.sigstore.json', bundle));
    await page.getByLabel('Who must have signed').fill(identity);
    await run(page);
    await page.getByText('Say who must have signed, and who vouches for that').waitFor();
    await page.getByLabel('Vouched for by (OIDC issuer)').fill(issuer);
    await run(page);
    await page.getByText('Drop the file that was signed, or give its SHA-256').waitFor();
    await choose(page, file('artifact.whl', fixture('sigstore-public/pypi/artifact.whl')));
    await page.getByText('what the bundle signs').waitFor();
    // What was typed is still there.
    assert.equal(await page.getByLabel('Who must have signed').inputValue(), identity);
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    await page.getByText('the signature verifies').waitFor();
    // Another file, and another signer.
    await page.getByLabel('Who must have signed').fill(`${identity}3`);
    await run(page);
    await page.getByText('sigstore-identity').first().waitFor();
    await page.getByRole('button', { name: 'Remove artifact.whl' }).click();
    await page.getByLabel('Who must have signed').fill(identity);
    await page.getByLabel('SHA-256 of the signed file').fill('00'.repeat(32));
    await run(page);
    await page.getByText('sigstore-bad-signature').first().waitFor();
    assert.deepEqual(lookups(server.asked), []);
  });

  test('TUF metadata is verified from its root on', async (t) => {
    const { page, go } = await open(t);
    await go();
    const metadata = (name: string): ReturnType<typeof file> => file(name, fixture(`tuf/teams/tuf/${name}`));
    await choose(page, metadata('timestamp.json'), metadata('1.snapshot.json'), metadata('1.targets.json'));
    await page.getByText('drop the root metadata that you trust, too').waitFor();
    await choose(page, metadata('1.root.json'));
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    await page.getByText('repository default: 4 roles verified').waitFor();
    await page.getByRole('button', { name: 'Remove 1.snapshot.json' }).click();
    await run(page);
    assert.notEqual(await verdict(page), 'Pass');
  });

  test('files of the wrong kind are named', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    const wrong: [string, string | Uint8Array][] = [
      ['picture.sum', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa)],
      ['evidence.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)],
      ['program', '\x7fELF\x02'],
      ['report.json', '{"schema":"modanchor-report/1"}'],
      ['empty', ''],
      ['artifact.whl', fixture('sigstore-public/pypi/artifact.whl')],
    ];
    await choose(page, ...wrong.map(([name, content]) => file(name, content)));
    for (const [name, content] of wrong) {
      const { what, advice } = recognise(name, typeof content === 'string' ? toUtf8(content) : content, true);
      const item = page.locator('.doc-bad', { hasText: name });
      assert.match((await item.textContent()) ?? '', new RegExp(what.replace(/[()]/g, '\\$&')));
      assert.ok((await item.textContent())?.includes(advice ?? '?'));
    }
    assert.equal(await page.locator('#run').count(), 0);
    assert.deepEqual(lookups(server.asked), []);
  });

  test('evidence that is not as it was written is refused, and says why', async (t) => {
    const { page, go } = await open(t);
    await go();
    const good = sample('good');
    const changed = Uint8Array.from(good);
    changed.set([(good[good.length >> 1] ?? 0) ^ 1], good.length >> 1);
    const evidence = await readEvidence(good);
    const other = `sha256:${'ab'.repeat(32)}`;
    const byOther: Evidence = {
      ...evidence,
      job: { ...evidence.job, tool: { ...evidence.job.tool, component: other } },
    };
    const lie: Evidence = { ...evidence, outcome: { ...evidence.outcome, verdict: 'fail', status: 1 } };
    const less: Evidence = { ...evidence, exchange: evidence.exchange.slice(0, -1) };
    const more: Evidence = { ...evidence, exchange: [...evidence.exchange, ...evidence.exchange.slice(-1)] };
    const table: [string, Uint8Array, string][] = [
      ['changed', changed, '(changed)'],
      ['cut', good.slice(0, -10), '(changed)'],
      ['head', good.slice(0, 30), '(changed)'],
      ['lie', await writeEvidence(lie), '(other-outcome)'],
      ['less', await writeEvidence(less), '(not-recorded)'],
      ['more', await writeEvidence(more), '(never-asked)'],
    ];
    for (const [name, bytes, code] of table) {
      await choose(page, file(`${name}.evidence`, bytes));
      await page.getByText('This evidence is refused').waitFor();
      await page.getByText(code).waitFor();
      assert.equal(await page.locator('#verdict').count(), 0, name);
      await page.getByRole('button', { name: `Remove ${name}.evidence` }).click();
      assert.equal(await page.locator('.notice').count(), 0);
    }
    // Another component may judge, when it is told to, and the page says so.
    await choose(page, file('other.evidence', await writeEvidence(byOther)));
    await page.getByText('Recorded with another component').waitFor();
    assert.equal(await page.locator('#verdict').count(), 0);
    await page.getByRole('button', { name: 'Judge with this page’s component' }).click();
    assert.equal(await verdict(page), 'Pass');
    await page.getByText('by another component than recorded it').waitFor();
    await page.getByText('it need not be the recorded one').waitFor();
  });

  test('evidence says what it proves, and is compared with one’s own files', async (t) => {
    const { page, go } = await open(t);
    await go();
    const { job } = await readEvidence(sample('good'));
    assert.ok(job.task.tag === 'verify');
    const recorded = job.task.val.files.find(({ path }) => path.endsWith('go.sum'));
    assert.ok(recorded);
    await choose(page, file('run.evidence', sample('good')));
    await verdict(page);
    const claims = page.locator('section', { has: page.locator('#claims-title') });
    await claims.getByText('go.sum: drop yours to compare').waitFor();
    await claims.getByText('is the one that every go command has').waitFor();
    await claims.getByText('That it was').waitFor();
    await choose(page, file('go.sum', recorded.content));
    await claims.getByText('go.sum is your go.sum.').waitFor();
    await choose(page, file('go.sum', TAMPERED));
    await claims.getByText('go.sum is not your go.sum').waitFor();
    // The roots, too.
    const { tuf } = (await readEvidence(sample('expired'))).job;
    const [repository] = tuf.all;
    assert.ok(repository);
    await page.locator('[data-sample="expired"]').click();
    await claims.getByText(`The root of the TUF repository ${repository.name}, by`).waitFor();
    await choose(page, file('my-root.json', repository.trustedRoot));
    await claims.getByText(`The root of the TUF repository ${repository.name} is your my-root.json.`).waitFor();
    // The key of a database that is not Go's.
    await page.locator('[data-sample="forked"]').click();
    await claims.getByText('The database’s key is not the go command’s').waitFor();
    await page.getByRole('heading', { name: 'Proof of the fork' }).waitFor();
  });

  test('a file that was judged as something else than its name says is told, and what was left open', async (t) => {
    const { page, go } = await open(t);
    await go();
    const evidence = await readEvidence(sample('tampered'));
    const { task } = evidence.job;
    assert.ok(task.tag === 'verify');
    const files = task.val.files.map((one) => (one.path === 'go.sum' ? { ...one, kind: 'go-mod' as const } : one));
    const root = readFileSync(join(REPOSITORY, 'host/assets/sigstore/trusted_root.json'));
    const trustedRoot = readFileSync(join(REPOSITORY, 'host/assets/sigstore/root.json'));
    const repository = { name: 'mine', trustedRoot, setBy: 'me', modules: '' };
    const job: Job = {
      ...evidence.job,
      task: { tag: 'verify', val: { ...task.val, files } },
      sigstore: {
        ...evidence.job.sigstore,
        roots: [{ name: 'sigstore', target: 'trusted_root.json', content: root, setBy: 'me', repository }],
      },
    };
    const recorder = new Recorder();
    const verifier = await Verifier.load(built('modanchor.wasm'));
    const end = await verifier.verify(job, { answer: (requests) => requests.map(() => ABSENT) }, recorder);
    const recorded = recorder.evidence(end);
    // The component believes what the job says that a file is.
    assert.equal(recorded.outcome.verdict, 'pass');
    await choose(page, file('run.evidence', await writeEvidence(recorded)), file('go.sum', TAMPERED));
    await verdict(page);
    const claims = page.locator('section', { has: page.locator('#claims-title') });
    await claims.getByText('go.sum was judged as a go.mod, which its name does not say').waitFor();
    await page.getByText('But something that it stands on is not yours').waitFor();
    assert.equal(await claims.getByText('is your').count(), 0);
    await claims.getByText('But it is taken from a TUF repository').waitFor();
    await claims.getByText('taken to be good for longer').waitFor();
  });

  test('a link shows its files, and runs nothing', async (t) => {
    const { page, server, another, go } = await open(t, {
      context: { permissions: ['clipboard-read', 'clipboard-write'] },
    });
    await go();
    await choose(page, file('go.sum', TAMPERED), file('go.mod', MOD));
    await run(page);
    await verdict(page);
    await page.getByRole('button', { name: 'Copy a link' }).click();
    await page.getByText('Copied:').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(link.startsWith(`${server.url}#share1=`));
    const before = lookups(server.asked).length;
    const opened = await another();
    await opened.goto(link);
    await ready(opened);
    await opened.getByText('These files came with the link.').waitFor();
    assert.equal(await opened.locator('.line[data-line="3"] .line-text').textContent(), TAMPERED.split('\n')[2]);
    assert.equal(await opened.locator('#verdict').count(), 0);
    assert.equal(lookups(server.asked).length, before);
    await opened.goto(`${link.slice(0, -20)}`);
    await opened.getByText('The link cannot be opened').waitFor();
    // What vouches for something does not come with it.
    const key = fromUtf8(fixture('sigstore/key.pub')) ?? '';
    await opened.goto(`${server.url}${await toFragment([{ name: 'key.pub', text: key }])}`);
    await opened.getByText('it brings a public key (PEM)').waitFor();
    assert.equal(await opened.locator('#docs').getByText('key.pub').count(), 0);
  });

  test('what does not show is shown by its number, wherever it is', async (t) => {
    const { page, server, go } = await open(t);
    await go();
    const path = 'evil\u202e.com/\u200bx';
    await choose(
      page,
      file('a\u202eb\u0007.sum', `${path} v1.0.0 h1:${'A'.repeat(43)}=\nok.com/x v1.0.0 h1:${'A'.repeat(43)}=\n`),
    );
    await page.getByRole('button', { name: 'Judge the file alone' }).click();
    await verdict(page);
    const raw = await page.evaluate(() => {
      const texts: string[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) texts.push(walker.currentNode.textContent ?? '');
      return texts.join('').match(/[\u202e\u200b\u0007]/g) ?? [];
    });
    assert.deepEqual(raw, []);
    assert.ok((await page.locator('.doc-name .hidden-char').allTextContents()).includes('U+202E'));
    assert.deepEqual(await page.locator('.line[data-line="1"] .hidden-char').allTextContents(), ['U+202E', 'U+200B']);
    assert.match(await page.locator('.lens').first().innerText(), /malformed module path "evil\\u202e/);
    // A field cannot show them: they are listed beside it.
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByText('Characters that do not show: line 1:').waitFor();
    const field = page.getByLabel('Text of go.sum');
    await field.fill(SUM);
    await page.getByRole('button', { name: 'Use this text' }).click();
    await page.getByRole('button', { name: 'Look up 11 module versions and verify' }).waitFor();
    assert.deepEqual(lookups(server.asked), []);
  });

  test('the policy lets nothing else run', async (t) => {
    const { page, go } = await open(t, {
      allow: [
        'policy:',
        'Content Security Policy',
        'TrustedScriptURL',
        'TrustedHTML',
        'TrustedScript',
        'Refused',
        'violates',
      ],
    });
    await go();
    const tried = await page.evaluate(async () => {
      const outcome = async (what: () => unknown): Promise<string> => {
        try {
          await what();
          return 'done';
        } catch (error) {
          return (error as Error).name;
        }
      };
      const types = (globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } })
        .trustedTypes;
      return {
        markup: await outcome(() => (document.createElement('div').innerHTML = '<b>x</b>')),
        // Later, since what a debugger evaluates is free of the policy.
        code: await outcome(
          () =>
            new Promise((resolve, reject) => {
              setTimeout(() => {
                try {
                  resolve((0, eval)('1'));
                } catch (error) {
                  reject(error as Error);
                }
              });
            }),
        ),
        worker: await outcome(() => new Worker('main.js')),
        policy: await outcome(() => types.createPolicy('other', {})),
        again: await outcome(() => types.createPolicy('modanchor', {})),
        elsewhere: await outcome(() => fetch('http://127.0.0.1:9/')),
        script: await outcome(() => {
          const script = document.createElement('script');
          script.src = 'worker.js';
        }),
      };
    });
    const refused = Object.values(tried).map((outcome) => (outcome === 'done' ? 'done' : 'refused'));
    assert.deepEqual(refused, Array(refused.length).fill('refused'), JSON.stringify(tried));
  });

  test('the worker has no way to the network', async (t) => {
    const { page, go } = await open(t);
    await go();
    const [worker, ...others] = page.workers();
    assert.ok(worker && others.length === 0);
    const left = await worker.evaluate(() => {
      const names = [
        'fetch',
        'XMLHttpRequest',
        'WebSocket',
        'EventSource',
        'WebTransport',
        'importScripts',
        'caches',
        'Worker',
      ];
      const holders: object[] = [];
      for (let one: object | null = globalThis; one; one = Object.getPrototypeOf(one) as object | null)
        holders.push(one);
      const has = (holder: object, name: string): boolean => {
        const found = Object.getOwnPropertyDescriptor(holder, name);
        return found !== undefined && (found.value !== undefined || found.get !== undefined);
      };
      return names.filter((name) => holders.some((holder) => has(holder, name)));
    });
    assert.deepEqual(left, []);
  });

  test('without headers, the page’s own policy holds, and all works', async (t) => {
    const { page, go } = await open(t, {
      serving: { headers: false },
      allow: ['policy: connect-src', 'violates', 'Refused to connect'],
    });
    await go();
    await page.locator('[data-sample="good"]').click();
    assert.equal(await verdict(page), 'Pass');
    const name = await page.evaluate(() => fetch('http://127.0.0.1:9/').catch((error: Error) => error.name));
    assert.equal(name, 'TypeError');
  });

  test('it works offline after the first visit', async (t) => {
    const { page, server, go } = await open(t, {
      allow: ['ERR_CONNECTION_REFUSED', 'Failed to fetch', 'Failed to load'],
    });
    await go();
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await server.close();
    await page.reload();
    await ready(page);
    for (const { name } of SAMPLES) {
      await page.locator(`[data-sample="${name}"]`).click();
      await page.getByText(`${name}.evidence`, { exact: true }).waitFor();
      await page.getByText('byte for byte, without a network').waitFor();
    }
    await choose(
      page,
      file('bundle.sigstore.json', fixture('sigstore-public/pypi/bundle.sigstore.json')),
      file('artifact.whl', fixture('sigstore-public/pypi/artifact.whl')),
    );
    await page.getByRole('button', { name: /Remove .*\.evidence/ }).click();
    await page.getByLabel('Who must have signed').fill('.*');
    await page.getByLabel('Vouched for by (OIDC issuer)').fill('.*');
    await page.getByLabel('these are patterns (RE2)').check();
    await run(page);
    assert.equal(await verdict(page), 'Pass');
  });

  test('the service worker keeps no file that is not of its build', async (t) => {
    const { page, server, go } = await open(t, {
      allow: ['is not the file of this build'],
      change: (path, response, { headers }) => {
        // The page's images are right; what the service worker fetches is not.
        if (path !== 'icon.svg' || headers['sec-fetch-dest'] !== 'empty') return false;
        server.asked.push('changed');
        response.writeHead(200, { 'Content-Type': 'image/svg+xml' }).end('<svg xmlns="http://www.w3.org/2000/svg"/>');
        return true;
      },
    });
    await go();
    while (!server.asked.includes('changed')) await page.waitForTimeout(20);
    // A first installation that fails is forgotten.
    await page.waitForFunction(async () => (await navigator.serviceWorker.getRegistrations()).length === 0);
    assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
    const kept = await page.evaluate(async () => {
      const found = await Promise.all(
        (await caches.keys()).map(async (name) => (await caches.open(name)).match('icon.svg')),
      );
      return found.filter((one) => one !== undefined).length;
    });
    assert.equal(kept, 0);
  });

  test('a run is stopped, and another begins', async (t) => {
    let hang = true;
    const { page, go } = await open(t, { change: (path) => hang && path.includes('/lookup/') });
    await go();
    await choose(page, file('go.sum', SUM));
    await run(page);
    await page.getByText('Asking: 11 requests').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#progress').waitFor({ state: 'hidden' });
    assert.equal(await page.locator('#verdict').count(), 0);
    hang = false;
    await run(page);
    assert.equal(await verdict(page), 'Pass');
    // Other files end a run, too, and are judged by the component that is compiled anew.
    hang = true;
    await choose(page, file('go.sum', 'golang.org/x/mod v0.23.0 h1:Zb7khfcRGKk+kqfxFaP5tZqCnDZMjC5VtUBs87Hr6QM=\n'));
    await run(page);
    await page.getByText('Asking…').waitFor();
    await page.locator('[data-sample="tampered"]').click();
    assert.equal(await verdict(page), 'Fail');
    await page.getByText('byte for byte, without a network').waitFor();
    assert.equal(await page.locator('#progress').isVisible(), false);
  });

  test('hashing leaves the page alive', async (t) => {
    const { page, go } = await open(t);
    await go();
    // From disk, as a user's: 48 MB of noise, stored.
    const zip = largeZip();
    const path = join(folder(t), 'large.zip');
    writeFileSync(path, zip);
    await page.locator('#choose').setInputFiles(path);
    await page.getByText('a module zip: example.com/large@v1.0.0').waitFor();
    await page.evaluate(() => {
      const counter = globalThis as unknown as { frames: number };
      counter.frames = 0;
      const count = (): void => {
        counter.frames += 1;
        requestAnimationFrame(count);
      };
      count();
    });
    await run(page);
    await page.locator('#progress').waitFor();
    const theme = page.locator('[data-theme-choice="dark"]');
    await theme.click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.locator('#h1').waitFor();
    assert.ok((await page.evaluate(() => (globalThis as unknown as { frames: number }).frames)) > 3);
  });

  test('a long file is drawn as one scrolls, and rows come in portions', async (t) => {
    const { page, go } = await open(t);
    await go();
    const count = 5_000;
    const line = (at: number): string => `example.com/m${at} v1.0.0 h1:${'A'.repeat(43)}=\n`;
    await choose(page, file('go.sum', Array.from({ length: count }, (_, at) => line(at)).join('')));
    await page.getByRole('button', { name: 'Judge the file alone' }).click();
    assert.equal(await verdict(page), 'Incomplete');
    const lines = page.locator('.line');
    assert.ok((await lines.count()) < count);
    await page.locator('.editor').evaluate((pane) => pane.scrollTo(0, pane.scrollHeight));
    await page.locator(`.line[data-line="${count}"]`).waitFor();
    assert.equal(await page.locator('tbody tr').count(), 200);
    await page.getByRole('button', { name: 'Show 200 more of 4,800' }).click();
    assert.equal(await page.locator('tbody tr').count(), 400);
  });

  test('of many files one is chosen, those with findings first', async (t) => {
    const { page, go } = await open(t);
    await go();
    const evidence = await readEvidence(sample('tampered'));
    assert.ok(evidence.job.task.tag === 'verify');
    const wrong = evidence.job.task.val.files.find(({ path }) => path.endsWith('go.sum'));
    assert.ok(wrong);
    // Recorded of a checkout of many modules: all good but one.
    const verifier = await Verifier.load(built('modanchor.wasm'));
    const recorder = new Recorder();
    const files = Array.from({ length: 12 }, (_, at) => {
      return { path: `m${at}/go.sum`, kind: 'go-sum' as const, content: at === 7 ? toUtf8('junk\n') : toUtf8('') };
    });
    const job = { ...evidence.job, task: { tag: 'verify' as const, val: { ...evidence.job.task.val, files } } };
    const end = await verifier.verify(job, { answer: (requests) => requests.map(() => ABSENT) }, recorder);
    await choose(page, file('many.evidence', await writeEvidence(recorder.evidence(end))));
    assert.equal(await verdict(page), 'Fail');
    const list = page.getByLabel('Which of 12 files');
    assert.equal(await list.locator('option').first().textContent(), 'm7/go.sum (1)');
    await page.locator('.lens').getByText('gosum-malformed').waitFor();
    await list.selectOption('m0/go.sum');
    await page.locator('.lens').waitFor({ state: 'detached' });
    // A few have a tab each, and arrows go from one to the next.
    await page.locator('[data-sample="tampered"]').click();
    const tabs = page.getByRole('tab');
    await tabs.first().focus();
    assert.match((await tabs.first().textContent()) ?? '', /go\.sum \(1\)/);
    await page.keyboard.press('ArrowRight');
    assert.equal(await tabs.nth(1).getAttribute('aria-selected'), 'true');
    assert.equal(await page.locator('.lens').count(), 0);
  });

  test('narrow screens need no sideways scrolling', async (t) => {
    const { page, go } = await open(t, { context: { viewport: { width: 360, height: 740 } } });
    await go();
    const fits = async (what: string): Promise<void> => {
      const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok((wide ?? 0) <= (screen ?? 0), `${what}: ${wide} pixels`);
    };
    await fits('start');
    for (const { name } of SAMPLES) {
      await page.locator(`[data-sample="${name}"]`).click();
      await page.getByText(`${name}.evidence`, { exact: true }).waitFor();
      await verdict(page);
      await fits(name);
    }
    await page.getByRole('button', { name: /Remove .*\.evidence/ }).click();
    await choose(page, file('go.sum', SUM), file('go.mod', MOD));
    await fits('a checkout');
    await choose(page, file('b.json', fixture('sigstore-public/pypi/bundle.sigstore.json')));
    await page.getByLabel('Who must have signed').waitFor();
    await fits('a bundle');
  });
});

/** A folder that is gone after the test. */
function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'modanchor-page-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A module's zip with one stored file of 48 MB. */
function largeZip(): Uint8Array {
  const size = 48_000_000;
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(content.subarray(at, Math.min(size, at + 65_536)));
  const name = Buffer.from('example.com/large@v1.0.0/data');
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(size, 14);
  common.writeUInt32LE(size, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02', 'latin1'),
    Buffer.from([20, 0]),
    common,
    Buffer.alloc(14),
    name,
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length + size, 16);
  return Buffer.concat([local, content, central, end]);
}
