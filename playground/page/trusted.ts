/**
 * The two script URLs of this page. With `require-trusted-types-for 'script'` a browser runs no other, and makes no
 * policy of another name.
 */

/** Scripts beside the page that it starts. */
export type OwnScript = 'worker.js' | 'sw.js';

const OWN: readonly string[] = ['worker.js', 'sw.js'] satisfies OwnScript[];

interface Policy {
  createScriptURL(url: string): string;
}

interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}

const rules: Policy = {
  createScriptURL(url) {
    if (!OWN.includes(url)) throw new TypeError(`${url} is no script of this page`);
    return url;
  },
};

// Browsers without Trusted Types take the same two strings.
const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy('modanchor', rules) ?? rules;

/** A script's URL, as `new Worker` and `serviceWorker.register` take it. */
export function scriptUrl(name: OwnScript): string {
  return policy.createScriptURL(name);
}
