// Visitors who are not signed in get the scripts of a page at their first interaction.
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { newPerson } from '../person.ts';

/** Collects the paths of the scripts and WASM files that the page requests. */
function scriptRequests(page: Page): string[] {
  const paths: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/\.(wasm|js)$/.test(pathname)) paths.push(pathname);
  });
  return paths;
}

test('the sign-in page loads its scripts when a field is focused', async ({ page, accounts }) => {
  await accounts.signUp(newPerson());
  await page.context().clearCookies();
  const requested = scriptRequests(page);
  await page.goto('/sign-in', { waitUntil: 'networkidle' });
  expect(requested).toEqual([]);
  await page.getByLabel('Email').focus();
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  expect(requested.some((path) => path.endsWith('.wasm'))).toBe(true);
});

test('a button that was pressed before the scripts were there works once they are', async ({ colloquy, page, accounts, pageErrors }) => {
  await accounts.signUp(newPerson());
  await page.context().clearCookies();
  pageErrors.allow(/foreign host: http:\/\/localhost/);
  // Otherwise the page asks for a passkey by itself, for the autofill.
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
  // Passkeys are bound to host names, not to IP addresses.
  await page.goto(`http://localhost:${colloquy.port}/sign-in`, { waitUntil: 'networkidle' });
  const begun = page.waitForRequest((request) => request.url().includes('/api/begin_passkey_sign_in'));
  await page.getByRole('button', { name: /passkey/i }).click();
  await begun;
});
