/** Light, dark, or as the system has it. */

const KEY = 'modanchor-theme';

function stored(): string {
  try {
    return localStorage.getItem(KEY) ?? 'auto';
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
    return 'auto';
  }
}

/** Makes the group of buttons work: arrows move and choose, as in a group of radio buttons. */
export function startTheme(): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-theme-choice]')];
  const choose = (choice: string): void => {
    document.documentElement.dataset['theme'] = choice;
    for (const button of buttons) {
      const chosen = button.dataset['themeChoice'] === choice;
      button.setAttribute('aria-checked', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  };
  const save = (choice: string): void => {
    choose(choice);
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // See above.
    }
  };
  buttons.forEach((button, at) => {
    button.addEventListener('click', () => save(button.dataset['themeChoice'] ?? 'auto'));
    button.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = buttons[(at + step + buttons.length) % buttons.length];
      next?.click();
      next?.focus();
    });
  });
  const choice = stored();
  choose(['light', 'dark'].includes(choice) ? choice : 'auto');
}
