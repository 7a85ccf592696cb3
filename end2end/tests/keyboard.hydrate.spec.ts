import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { newPerson } from '../person.ts';

/** Presses Tab until an element with this name has the focus. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const named = (text: string) => (typeof name === 'string' ? text === name : name.test(text));
  const seen: string[] = [];
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      if (!element) return { name: '', outlined: false };
      const label = element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.innerText ?? element.innerText ?? '';
      // A text field may have the focus ring on its form instead.
      const ringed = [element, element.closest<HTMLElement>('form:focus-within')].filter((one) => one !== null);
      const outlined = ringed.some((one) => getComputedStyle(one).outlineStyle !== 'none' || getComputedStyle(one).boxShadow !== 'none');
      return { name: label.trim(), outlined };
    });
    seen.push(focus.name);
    if (named(focus.name)) {
      expect(focus.outlined, `the focus on ${focus.name} is visible`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab never reached ${name}, only: ${seen.join(' | ')}`);
}

test('sign up, ask and move to the buttons with the keyboard alone', async ({ accounts, chat, page }) => {
  const person = newPerson();
  await accounts.openSignUp();
  await tabTo(page, 'Name');
  await page.keyboard.type(person.name);
  await tabTo(page, 'Email');
  await page.keyboard.type(person.email);
  await tabTo(page, 'Password');
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await accounts.expectSignedIn();

  await chat.composer.focus();
  await page.keyboard.type('by keyboard');
  await tabTo(page, 'Send');
  await page.keyboard.press('Enter');
  await expect(chat.answer).toContainText('You said: by keyboard');
  await tabTo(page, 'Copy');
  await tabTo(page, 'Message');
});

test('the answer is announced', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('say it aloud');
  await expect(page.locator('[aria-live="polite"]', { hasText: 'You said: say it aloud' })).toBeAttached();
});

test('Stop works with the keyboard as soon as it is there, and the focus stays with the composer', async ({ chat, person, isMobile }) => {
  await chat.ask(`gate keys-${person.email}`);
  await chat.stop.press('Enter');
  await expect(chat.answer).toContainText(/stopped/i);
  // On touch screens it would open the keyboard.
  if (!isMobile) await expect(chat.composer).toBeFocused();
});

test('the focus ring of the composer is only for the keyboard', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  const ring = () => page.locator('.composer').evaluate((form) => getComputedStyle(form).outlineStyle);
  await chat.composer.click();
  await expect(chat.composer).toBeFocused();
  expect(await ring()).toBe('none');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(chat.composer).toBeFocused();
  expect(await ring()).toBe('solid');
  await chat.composer.click();
  expect(await ring()).toBe('none');
});

test('Escape stops the answer', async ({ chat, person, page }) => {
  await chat.ask(`gate escape-${person.email}`);
  await expect(chat.answer).toContainText('The first half');
  await page.keyboard.press('Escape');
  await expect(chat.answer).toContainText(/stopped/i);
});
