/**
 * What a replayed verdict proves, what has to be compared with one's own, and what the evidence only says
 * (docs/evidence.md).
 *
 * A replay shows that the component comes to this outcome from these inputs and answers. That the inputs are the
 * viewer's, that the keys are the ones to trust, and what nobody signs, it cannot show.
 */

import type { Job } from '../verifier/index.js';
import { grouped, hex, sha256 } from './bytes.js';
import { code, h, icon, shown, type Child } from './dom.js';
import { GO_SUMDB_KEY } from './jobs.js';
import type { Replayed } from './protocol.js';
import type { Tone } from './report.js';
import type { ShippedRoot } from './roots.js';

/** A file of the viewer's, to compare with. */
export interface Own {
  readonly name: string;
  readonly sha256: string;
}

interface Claim {
  readonly tone: Tone;
  readonly text: Child[];
  readonly list?: readonly string[];
}

/** The panel's three lists. */
export async function claimsView(
  replayed: Replayed,
  file: string,
  own: readonly Own[],
  digest: string,
  shipped: readonly ShippedRoot[],
): Promise<HTMLElement> {
  const group = (title: string, claims: Claim[]): HTMLElement | false =>
    claims.length > 0 &&
    h('div', { class: 'claims-group' }, h('h3', {}, title), h('ul', { class: 'claims' }, ...claims.map(item)));
  const { job } = replayed;
  return h(
    'div',
    {},
    group('Proven here, just now', proven(replayed, digest)),
    group('As good as these: compare them with your own', [
      ...(await inputs(job, own)),
      ...(await anchors(job, shipped)),
    ]),
    group('Only said by who recorded it', said(replayed, file)),
  );
}

function item({ tone, text, list }: Claim): HTMLElement {
  const word = { pass: 'good: ', fail: 'differs: ', warn: 'mind: ', note: '' }[tone];
  return h(
    'li',
    { class: `claim-${tone}` },
    icon(tone === 'warn' ? 'incomplete' : tone),
    h(
      'div',
      {},
      word && h('span', { class: 'visually-hidden' }, word),
      ...text,
      list &&
        list.length > 0 &&
        h(
          'details',
          {},
          h('summary', {}, `${list.length} in all`),
          h('ul', {}, ...list.map((one) => h('li', { dir: 'ltr' }, shown(one)))),
        ),
    ),
  );
}

function proven({ same, recordedBy, said }: Replayed, digest: string): Claim[] {
  const verdict: Claim = same
    ? {
        tone: 'pass',
        text: [
          'The same component, ',
          code(digest.slice(0, 19)),
          '…, asked the same questions and came to the same report, byte for byte.',
        ],
      }
    : {
        tone: 'warn',
        text: [
          'Recorded by another component, ',
          code(recordedBy),
          '. The verdict is what the one of this page makes of the same answers; it need not be the recorded one.',
        ],
      };
  return [
    verdict,
    {
      tone: 'pass',
      text: [
        `Every signature and proof in its ${grouped(said.requests)} answers was judged again, `,
        'in this browser, without a network.',
      ],
    },
  ];
}

async function inputs(job: Job, own: readonly Own[]): Promise<Claim[]> {
  const claims: Claim[] = [];
  const compare = (name: string, digest: string): void => {
    const same = own.find((file) => file.sha256 === digest);
    const named = own.find((file) => file.name === name);
    if (same) {
      claims.push({ tone: 'pass', text: [code(name), ' is your ', code(same.name), '.'] });
    } else if (named) {
      claims.push({
        tone: 'fail',
        text: [
          code(name),
          ' is not your ',
          code(named.name),
          ': the verdict is about another file, ',
          code(digest),
          '.',
        ],
      });
    } else {
      claims.push({ tone: 'warn', text: [code(name), ': drop yours to compare. SHA-256 ', code(digest)] });
    }
  };
  const { task } = job;
  if (task.tag === 'verify' || task.tag === 'fix') {
    for (const { path, content } of task.val.files) compare(path, hex(await sha256(content)));
    for (const { path, sha256: digest } of task.val.programs) compare(path, digest);
  }
  if (task.tag === 'verify-blob') {
    const { artifact, name } = task.val;
    compare(name, hex(artifact.tag === 'sha256' ? artifact.val : artifact.val.sha256));
    if (task.val.bundle) compare('the bundle', hex(await sha256(task.val.bundle)));
  }
  return claims;
}

async function anchors(job: Job, shipped: readonly ShippedRoot[]): Promise<Claim[]> {
  const claims: Claim[] = [];
  if (job.sumdb.tag === 'database') {
    const { key, setBy, pinnedHead, witnesses } = job.sumdb.val;
    claims.push(
      key === GO_SUMDB_KEY
        ? { tone: 'pass', text: ['The database’s key is the one that every go command has, ', code(key), '.'] }
        : {
            tone: 'fail',
            text: ['The database’s key is not the go command’s: ', code(key), ', by ', code(setBy), '.'],
          },
    );
    if (pinnedHead)
      claims.push({ tone: 'warn', text: ['A head was pinned: SHA-256 ', code(hex(await sha256(pinnedHead)))] });
    for (const witness of witnesses) claims.push({ tone: 'warn', text: ['A witness’s key: ', code(witness)] });
  } else {
    claims.push({ tone: 'note', text: ['No checksum database was asked: ', code(job.sumdb.val)] });
  }
  if (job.skip.patterns) {
    claims.push({
      tone: 'warn',
      text: ['Not asked of the database: ', code(job.skip.patterns), ', by ', code(job.skip.setBy)],
    });
  }
  for (const { name, trustedRoot, setBy } of job.tuf.all) {
    claims.push({
      tone: 'warn',
      text: [
        'The TUF repository ',
        code(name),
        ' begins with a root, by ',
        code(setBy),
        ': SHA-256 ',
        code(hex(await sha256(trustedRoot))),
      ],
    });
  }
  for (const { name, content, setBy } of job.sigstore.roots) {
    const digest = hex(await sha256(content));
    claims.push(
      shipped.some((root) => root.sha256 === digest)
        ? { tone: 'pass', text: ['The trusted root ', code(name), ' is the one that comes with this page.'] }
        : { tone: 'warn', text: ['The trusted root ', code(name), ', by ', code(setBy), ': SHA-256 ', code(digest)] },
    );
  }
  if (job.failOn !== 'medium' || job.allowIncomplete) {
    const allowed = job.allowIncomplete ? ', and what could not be checked may pass' : '';
    claims.push({ tone: 'warn', text: ['It fails from ', code(job.failOn), ` on${allowed}: by the recorder’s word.`] });
  }
  if (job.policy)
    claims.push({ tone: 'warn', text: ['The policy is the recorder’s, by ', code(job.policy.setBy), '.'] });
  for (const { rule, module, reason } of job.ignores) {
    claims.push({ tone: 'warn', text: ['Ignored: ', code(rule), ' for ', code(module), ', because ', code(reason)] });
  }
  return claims;
}

function said({ job, said: { measured, absent, failed } }: Replayed, file: string): Claim[] {
  const now = new Date(Number(job.now.seconds) * 1000);
  const date = Number.isNaN(now.getTime())
    ? `${job.now.seconds} seconds since 1970`
    : now.toISOString().replace('.000', '');
  const claims: Claim[] = [
    {
      tone: 'note',
      text: [
        'That it was ',
        code(date),
        ' then. Expiry was judged by it; your clock says ',
        code(new Date().toISOString().slice(0, 10)),
        '.',
      ],
    },
    { tone: 'note', text: ['That modanchor ', code(job.tool.version), ' recorded it.'] },
  ];
  claims.push({
    tone: 'note',
    text: [
      'Who recorded it, this page does not ask. ',
      code('modanchor replay --require-signer'),
      ' verifies a signature over the file, whose SHA-256 is ',
      code(file),
    ],
  });
  const floor = 'That no newer tree had been seen before, unless the evidence has one.';
  if (job.sumdb.tag === 'database') claims.push({ tone: 'note', text: [floor] });
  if (measured.length > 0) {
    claims.push({
      tone: 'note',
      text: ['Hashes that it measured, of files that are not in the evidence.'],
      list: measured,
    });
  }
  if (absent.length > 0) {
    claims.push({ tone: 'note', text: ['That these are not there. Nobody signs that.'], list: absent });
  }
  if (failed.length > 0) claims.push({ tone: 'note', text: ['That these could not be had.'], list: failed });
  return claims;
}
