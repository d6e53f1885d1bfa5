/** Judging again: what the component asked and concluded is what the evidence has, or there is no verdict. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readEvidence,
  Recorder,
  replay,
  Verifier,
  writeEvidence,
  type Evidence,
  type Exchanged,
  type Job,
  type Request,
} from '../verifier/index.js';
import { goSum, HELLO, job, recorded, RECORDED, unpack } from './made.js';

const component = readFileSync(join(process.env['PLAYGROUND_OUT'] as string, 'verifier/modanchor.wasm'));
const verifier = await Verifier.load(new Uint8Array(component));

async function record(of: Job): Promise<Evidence> {
  const recorder = new Recorder();
  const end = await verifier.verify(of, RECORDED, recorder);
  // Through a file, as others get it.
  return readEvidence(await writeEvidence(recorder.evidence(end)));
}

const HELLO_RUN = await record(job(goSum(HELLO)));

/** A copy with something else in it. */
function spoilt(spoil: (evidence: Evidence) => void): Evidence {
  const evidence = structuredClone(HELLO_RUN);
  spoil(evidence);
  return evidence;
}

test('a run that was recorded is judged again, to the same bytes', async () => {
  const wrong = new TextEncoder().encode('wrong\n');
  for (const run of [
    HELLO_RUN,
    await record(job(goSum(wrong))),
    await record(job({ tag: 'lookup', val: ['a.b/c@v1.0.0'] })),
  ]) {
    assert.deepEqual(await replay(verifier, run), { outcome: run.outcome, sameComponent: true });
  }
});

test('evidence that the program wrote is read, and would be written so', async () => {
  const samples = join(process.env['REPOSITORY'] as string, 'playground/page/samples');
  const names = readdirSync(samples).filter((name) => name.endsWith('.evidence'));
  assert.ok(names.length >= 5, names.join());
  for (const name of names) {
    const file = new Uint8Array(readFileSync(join(samples, name)));
    const evidence = await readEvidence(file);
    assert.equal(unpack(await writeEvidence(evidence)), unpack(file), name);
    // A sample may have been recorded with an earlier component.
    const { outcome, sameComponent } = await replay(verifier, evidence, { otherComponent: true });
    assert.equal(outcome.verdict, evidence.outcome.verdict, name);
    assert.equal(sameComponent, evidence.job.tool.component === verifier.digest, name);
  }
});

test('evidence that was changed has no verdict', async () => {
  const round = (evidence: Evidence, i: number): Exchanged[] => evidence.exchange[i] as Exchanged[];
  const sumdb = (evidence: Evidence): Exchanged =>
    evidence.exchange
      .flat()
      .find(({ request, response }) => request.tag === 'sumdb' && response.tag === 'ok') as Exchanged;
  const text = (of: string): Uint8Array => new TextEncoder().encode(of);
  const cases: [string, (evidence: Evidence) => void, string, RegExp?][] = [
    ['the last answer of a round is missing', (e) => void round(e, 0).pop(), 'not-recorded', /no answer to/],
    ['the first is', (e) => void round(e, 0).shift(), 'not-recorded', /asks for .*recall.* answers/],
    ['two are exchanged', (e) => void round(e, 1).reverse(), 'not-recorded'],
    ['a round is missing', (e) => void e.exchange.pop(), 'not-recorded'],
    ['all are', (e) => void (e.exchange = []), 'not-recorded'],
    ['a round has an answer too many', (e) => void round(e, 0).push(sumdb(e)), 'never-asked', /does not ask/],
    ['there is a round too many', (e) => void e.exchange.push([]), 'never-asked', /1 more rounds/],
    [
      'an answer is to another question',
      (e) => void ((sumdb(e).request as { val: { path: string } }).val.path += '0'),
      'not-recorded',
    ],
    [
      'a question has another cap',
      (e) => void ((sumdb(e).request as { val: { maxBytes: number } }).val.maxBytes -= 1),
      'not-recorded',
    ],
    [
      'a failure stands for an answer',
      (e) => void (sumdb(e).response = { tag: 'err', val: 'offline' }),
      'not-recorded',
    ],
    ['the report is another', (e) => void (e.outcome.report = text('{}')), 'other-outcome'],
    ['the report has one other byte', (e) => void ((e.outcome.report[9] as number) ^= 1), 'other-outcome'],
    ['the verdict is another', (e) => void (e.outcome.verdict = 'fail'), 'other-outcome'],
    ['the status is another', (e) => void (e.outcome.status = 1), 'other-outcome'],
    ['a line is there that is nobody’s', (e) => void e.outcome.lines.push('x'), 'other-outcome'],
    ['the time is another', (e) => void (e.job.now.seconds += 1n), 'other-outcome'],
    ['the go.sum is another', (e) => void (e.job.task = goSum(text('a.b/c v1.0.0 h1:=\n'))), 'not-recorded'],
    [
      'the job is refused',
      (e) => void (e.job.task = { tag: 'lookup', val: [] }),
      'other-outcome',
      /refuses the job \(nothing-to-do\)/,
    ],
  ];
  for (const [name, spoil, code, message] of cases) {
    await assert.rejects(
      replay(verifier, spoilt(spoil)),
      { name: 'EvidenceError', code, message: message ?? /./ },
      name,
    );
  }
});

test('a forged answer in evidence is found out', async () => {
  const forged = spoilt((e) => {
    const lookup = e.exchange
      .flat()
      .find(({ request }) => request.tag === 'sumdb' && request.val.path.startsWith('lookup/'));
    const { content } = (lookup?.response as { val: { val: { content: Uint8Array } } }).val.val;
    content[20] = (content[20] as number) ^ 1;
  });
  await assert.rejects(replay(verifier, forged), { name: 'EvidenceError' });
});

test('another component judges only where it is told to', async () => {
  const elsewhere = spoilt((e) => void (e.job.tool.component = `sha256:${'0'.repeat(64)}`));
  const message = /^recorded with the component "sha256:0{64}", and this one is sha256:/;
  await assert.rejects(replay(verifier, elsewhere), { name: 'EvidenceError', code: 'other-component', message });
  const { outcome, sameComponent } = await replay(verifier, elsewhere, { otherComponent: true });
  // The report names the component that judged now.
  assert.deepEqual([outcome, sameComponent], [HELLO_RUN.outcome, false]);

  const named = spoilt((e) => void (e.job.tool.component = '\x1b[2J'));
  await assert.rejects(replay(verifier, named), {
    code: 'other-component',
    message: /^recorded with the component "\\u001b\[2J"/,
  });
});

test('another component finds the answers by its questions', async () => {
  const other = (spoil: (evidence: Evidence) => void): Evidence =>
    spoilt((e) => {
      e.job.tool.component = 'another';
      spoil(e);
    });
  const options = { otherComponent: true };
  const shuffled = other((e) => void (e.exchange = [e.exchange.flat().reverse(), []]));
  assert.deepEqual((await replay(verifier, shuffled, options)).outcome, HELLO_RUN.outcome);
  const less = other((e) => void e.exchange.pop());
  const message = /^this component asks for what was never recorded: "/;
  await assert.rejects(replay(verifier, less, options), { name: 'EvidenceError', code: 'not-recorded', message });
});

test('what the module cache has is found by module version', async () => {
  const cached = job(goSum(HELLO));
  cached.bytes.moduleCache = 'auto';
  const recorder = new Recorder();
  const answer = (request: Request) =>
    request.tag === 'held'
      ? ({ tag: 'ok', val: { tag: 'holdings', val: request.val.map(() => ({})) } } as const)
      : recorded(request);
  const end = await verifier.verify(cached, { answer: (requests) => requests.map(answer) }, recorder);
  const evidence = structuredClone(recorder.evidence(end));
  evidence.job.tool.component = 'another';
  const options = { otherComponent: true };
  // Asked one by one, in place of all at once.
  const apart = structuredClone(evidence);
  let split = 0;
  apart.exchange = apart.exchange.map((round) =>
    round.flatMap((exchanged) => {
      const { request, response } = exchanged;
      if (request.tag !== 'held') {
        return [exchanged];
      }
      split += request.val.length;
      return request.val.map((module): Exchanged => ({
        request: { tag: 'held', val: [module] },
        response: cut(response),
      }));
    }),
  );
  assert.equal(split, 11);
  const { outcome } = await replay(verifier, apart, options);
  assert.deepEqual({ tag: 'done', outcome }, end);
  // One of them is missing.
  const missing = structuredClone(apart);
  missing.exchange = missing.exchange.map((round) => {
    const at = round.findIndex(({ request }) => request.tag === 'held');
    return at < 0 ? round : round.toSpliced(at, 1);
  });
  await assert.rejects(replay(verifier, missing, options), { code: 'not-recorded' });
});

/** The first of the holdings alone. */
function cut(response: Exchanged['response']): Exchanged['response'] {
  return response.tag === 'ok' && response.val.tag === 'holdings'
    ? { tag: 'ok', val: { tag: 'holdings', val: response.val.val.slice(0, 1) } }
    : response;
}

test('a recorder tells another watch, and is for one run that came to a report', async () => {
  const heard = new Set<string>();
  const hear = (name: string) => () => void heard.add(name);
  const watch = { started: hear('started'), step: hear('step'), keep: hear('keep'), exchanged: hear('exchanged') };
  const recorder = new Recorder(watch);
  assert.throws(
    () => recorder.evidence({ tag: 'refused', refusal: { tag: 'nothing-to-do' } }),
    /came to a report only/,
  );
  const end = await verifier.verify(job(goSum(HELLO)), RECORDED, recorder);
  assert.deepEqual([...heard].sort(), ['exchanged', 'keep', 'started', 'step']);
  assert.deepEqual(await readEvidence(await writeEvidence(recorder.evidence(end))), HELLO_RUN);
  await assert.rejects(verifier.verify(job(goSum(HELLO)), RECORDED, recorder), /a recorder is for one run/);
});
