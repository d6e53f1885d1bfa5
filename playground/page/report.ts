/** The report, `modanchor-report/1` (docs/report.md), as far as the page shows it. The component writes it. */

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'note';
export type LineStatus = 'verified' | 'mismatch' | 'skipped' | 'unchecked' | 'unknown';

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly end_column: number | null;
  readonly module: string | null;
  readonly version: string | null;
  readonly expected: string | null;
  readonly found: string | null;
  readonly by: string | null;
  readonly help: string;
}

export interface SignatureLine {
  readonly origin: string;
  readonly status: string;
  readonly root: string | null;
  readonly identity: string | null;
  readonly issuer: string | null;
  readonly builder: string | null;
  readonly source_repository: string | null;
  readonly source_ref: string | null;
  readonly predicate_type: string | null;
  readonly logged: readonly string[];
  readonly promised: readonly string[];
  readonly times: readonly string[];
}

export interface Module {
  readonly path: string;
  readonly version: string;
  readonly grade: 'trusted' | 'verified' | 'unverified';
  readonly record: number | null;
  readonly lines: readonly {
    readonly file: string;
    readonly line: number;
    readonly of: 'zip' | 'go.mod';
    readonly hash: string;
    readonly status: LineStatus;
  }[];
  readonly bytes: readonly { readonly what: string; readonly status: string; readonly hash: string | null }[];
  readonly signatures: readonly SignatureLine[];
  readonly targets: readonly {
    readonly repository: string;
    readonly status: string;
    readonly path: string;
    readonly role: string | null;
  }[];
  readonly rulings: readonly {
    readonly name: string;
    readonly grade: string;
    readonly required: string;
    readonly satisfied: boolean;
    readonly conditions: readonly {
      readonly what: string;
      readonly held: boolean;
      readonly expected: string;
      readonly found: string;
    }[];
  }[];
}

export interface Report {
  readonly tool: { readonly name: string; readonly version: string; readonly component: string };
  readonly checked_at: string;
  readonly verdict: 'pass' | 'fail' | 'incomplete';
  readonly sumdbs: readonly {
    readonly name: string;
    readonly tree_size: number;
    readonly root_hash: string;
    readonly requests: number;
    readonly skipped_by: string | null;
    readonly floor: 'none' | 'cached' | 'pinned';
  }[];
  readonly repositories: readonly {
    readonly name: string;
    readonly roles: readonly { readonly name: string; readonly version: number; readonly expires: string }[];
    readonly requests: number;
  }[];
  readonly trusted_roots: readonly {
    readonly name: string;
    readonly set_by: string;
    readonly sha256: string;
    readonly expires: string | null;
  }[];
  readonly files: readonly {
    readonly path: string;
    readonly kind: string;
    readonly sha256: string;
    readonly lines: number;
  }[];
  readonly modules: readonly Module[];
  readonly artifacts: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly signatures: readonly SignatureLine[];
  }[];
  readonly findings: readonly Finding[];
  readonly counts: {
    readonly modules: number;
    readonly lines: number;
    readonly verified: number;
    readonly skipped: number;
    readonly unchecked: number;
    readonly bytes: Readonly<Record<string, number>>;
    readonly findings: Readonly<Record<Severity, number>>;
    readonly ignored: number;
    readonly grades: Readonly<Record<'trusted' | 'verified' | 'unverified', number>>;
  };
}

/** Reads a report. It comes from the component, which wrote it whole. */
export function readReport(bytes: Uint8Array): Report {
  return JSON.parse(new TextDecoder().decode(bytes)) as Report;
}

/** What a page says of a severity or a status: which colour, which mark. */
export type Tone = 'pass' | 'fail' | 'warn' | 'note';

export function toneOf(finding: Pick<Finding, 'severity'>): Tone {
  switch (finding.severity) {
    case 'critical':
    case 'high':
      return 'fail';
    case 'medium':
      return 'warn';
    default:
      return 'note';
  }
}

/**
 * The escaped name under which the database and its kept proofs have a module version: `!` before what was a capital.
 */
export function escaped(path: string, version: string): string {
  const escape = (text: string): string => text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  return `${escape(path)}@${escape(version)}`;
}
