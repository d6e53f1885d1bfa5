/**
 * What a replayed verdict proves, what has to be compared with one's own, and what the evidence only says
 * (docs/evidence.md).
 *
 * A replay shows that the component comes to this outcome from these inputs and answers. That the inputs are the
 * viewer's, that the keys are the ones to trust, and what nobody signs, it cannot show.
 */

import type { Job, SourceFile } from '../verifier/index.js';
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
      ...(await anchors(job, own, shipped)),
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

function proven({ job, same, recordedBy, said }: Replayed, digest: string): Claim[] {
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
    said.requests > 0 || job.task.tag === 'verify-blob'
      ? {
          tone: 'pass',
          text: [
            `Every signature and proof that the verdict needs was judged again, from ${grouped(said.requests)} answers, `,
            'in this browser, without a network.',
          ],
        }
      : { tone: 'warn', text: ['Nothing was asked: no log and no repository has proven anything.'] },
  ];
}

/** Which of Go's files a path names, as the program takes it (host/src/evidence/claims.rs). */
const ENDS: readonly (readonly [string, SourceFile['kind'], string])[] = [
  ['.work.sum', 'go-work-sum', 'a go.work.sum'],
  ['.sum', 'go-sum', 'a go.sum'],
  ['.mod', 'go-mod', 'a go.mod'],
  ['.work', 'go-work', 'a go.work'],
  ['vendor/modules.txt', 'vendor-modules', 'a vendor/modules.txt'],
];

const kindOf = (path: string): SourceFile['kind'] | undefined => ENDS.find(([end]) => path.endsWith(end))?.[1];

/** What a file was judged as, where its name does not say that: a go.sum that is taken for a go.mod has no lines. */
function judgedAs({ path, kind }: SourceFile): string | undefined {
  return kindOf(path) === kind ? undefined : ENDS.find(([, of]) => of === kind)?.[2];
}

async function inputs(job: Job, own: readonly Own[]): Promise<Claim[]> {
  const claims: Claim[] = [];
  const compare = (name: string, digest: string, wrongKind?: string): void => {
    const same = own.find((file) => file.sha256 === digest);
    const named = own.find((file) => file.name === name);
    if (wrongKind !== undefined) {
      claims.push({
        tone: 'fail',
        text: [code(name), ` was judged as ${wrongKind}, which its name does not say. SHA-256 `, code(digest)],
      });
    } else if (same) {
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
  if (task.tag === 'verify' || task.tag === 'fix' || task.tag === 'explain') {
    const { files, programs } = task.tag === 'explain' ? task.val.checkout : task.val;
    for (const file of files) compare(file.path, hex(await sha256(file.content)), judgedAs(file));
    for (const { path, sha256: digest } of programs) compare(path, digest, kindOf(path) && 'a program');
  }
  if (task.tag === 'verify-blob') {
    const { artifact, name } = task.val;
    compare(name, hex(artifact.tag === 'sha256' ? artifact.val : artifact.val.sha256));
    if (artifact.tag === 'file' && artifact.val.sha384.length + artifact.val.sha512.length > 0) {
      claims.push({ tone: 'warn', text: ['That its SHA-384 and SHA-512 are of the same file, the recorder says.'] });
    }
    if (task.val.bundle) compare('the bundle', hex(await sha256(task.val.bundle)));
  }
  return claims;
}

type Blob = Extract<Job['task'], { tag: 'verify-blob' }>['val'];

/** Whose signature was asked for, and what else that was left to. */
async function signer({ signer, chain, requireLog, requireSct }: Blob): Promise<Claim[]> {
  const claims: Claim[] = [];
  if (signer.tag === 'key') {
    claims.push({ tone: 'warn', text: ['The signer’s public key: SHA-256 ', code(hex(await sha256(signer.val)))] });
  } else {
    const asked = Object.entries(signer.val).filter(([, value]) => value !== undefined);
    const parts = asked.flatMap(([what, value], at) => [at > 0 ? ', ' : '', `${what} `, code(String(value))]);
    claims.push({ tone: 'warn', text: ['Whose signature was asked for: ', ...parts] });
    const without = [!requireLog && 'an entry in a log', !requireSct && 'the promise of a certificate log'];
    for (const what of without) if (what) claims.push({ tone: 'warn', text: [`It need not have ${what}.`] });
  }
  if (chain) {
    const digest = hex(await sha256(chain));
    claims.push({
      tone: 'fail',
      text: ['Other authorities than the trusted roots’ were believed, too: SHA-256 ', code(digest)],
    });
  }
  return claims;
}

async function anchors(job: Job, own: readonly Own[], shipped: readonly ShippedRoot[]): Promise<Claim[]> {
  const claims: Claim[] = [];
  /** A root, compared with the viewer's, if one was dropped. */
  const root = async (what: string, name: string, content: Uint8Array, setBy: string): Promise<void> => {
    const digest = hex(await sha256(content));
    const same = own.find((file) => file.sha256 === digest);
    if (same) {
      claims.push({ tone: 'pass', text: [what, code(name), ' is your ', code(same.name), '.'] });
    } else if (shipped.some((one) => one.sha256 === digest)) {
      claims.push({ tone: 'pass', text: [what, code(name), ' is one that comes with this page.'] });
    } else {
      const text = [what, code(name), ', by ', code(setBy), ': drop yours to compare. SHA-256 ', code(digest)];
      claims.push({ tone: 'warn', text });
    }
  };
  if (job.sumdb.tag === 'database') {
    const { key, setBy, pinnedHead, witnesses, quorum } = job.sumdb.val;
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
    for (const witness of witnesses) {
      const what = `The key of a witness, ${quorum} of which must have signed: `;
      claims.push({ tone: 'warn', text: [what, code(witness)] });
    }
  } else {
    const tone = job.task.tag === 'tuf' || job.task.tag === 'verify-blob' ? 'note' : 'fail';
    claims.push({ tone, text: ['No checksum database was asked: ', code(job.sumdb.val)] });
  }
  if (job.skip.patterns) {
    claims.push({
      tone: 'warn',
      text: ['Not asked of the database: ', code(job.skip.patterns), ', by ', code(job.skip.setBy)],
    });
  }
  for (const { name, trustedRoot, setBy, modules } of job.tuf.all) {
    await root('The root of the TUF repository ', name, trustedRoot, setBy);
    if (modules) claims.push({ tone: 'warn', text: ['It was asked about the modules ', code(modules)] });
  }
  for (const { modules, repositories, threshold } of job.tuf.map) {
    const who = code(repositories.join(', '));
    claims.push({ tone: 'warn', text: [`${threshold} of `, who, ' had to agree about ', code(modules)] });
  }
  for (const { name, content, setBy, repository, expires } of job.sigstore.roots) {
    await root('The trusted root ', name, content, setBy);
    // The copy is not all there is: a repository may have led to another, and its end is the recorder's.
    if (repository) {
      await root('But it is taken from a TUF repository, whose root ', repository.name, repository.trustedRoot, setBy);
    }
    const digest = hex(await sha256(content));
    const same = shipped.find((one) => one.sha256 === digest);
    if (same && (expires === undefined || expires.seconds > BigInt(same.expires))) {
      claims.push({ tone: 'warn', text: ['The copy was taken to be good for longer than it is.'] });
    }
  }
  if (job.task.tag === 'verify-blob') claims.push(...(await signer(job.task.val)));
  if (job.task.tag === 'verify') {
    const off = [
      job.bytes.moduleCache === 'off' && 'the module cache',
      job.bytes.vendor === 'off' && 'vendor folders',
    ].filter((what) => what !== false);
    if (off.length > 0) claims.push({ tone: 'note', text: [`Not looked at: ${off.join(' and ')}.`] });
    for (const folder of job.task.val.bareVendors) {
      claims.push({ tone: 'warn', text: ['A vendor folder without a modules.txt: ', code(folder)] });
    }
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
  if (job.task.tag === 'verify') {
    for (const { path } of job.task.val.programs) {
      claims.push({ tone: 'note', text: ['Which modules the program ', code(path), ' is built of.'] });
    }
  }
  if (measured.length > 0) {
    claims.push({
      tone: 'note',
      text: ['What it measured or read, of files that are not in the evidence.'],
      list: measured,
    });
  }
  if (absent.length > 0) {
    claims.push({ tone: 'note', text: ['That these are not there. Nobody signs that.'], list: absent });
  }
  if (failed.length > 0) claims.push({ tone: 'note', text: ['That these could not be had.'], list: failed });
  return claims;
}
