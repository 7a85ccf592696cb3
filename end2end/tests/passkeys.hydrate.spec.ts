import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';

/** A device that answers for the person, as long as it is asked to. */
async function device(page: Page): Promise<(present: boolean) => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return async (enabled) => {
    await session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  };
}

test('a passkey is added and signs in with nothing else', async ({ colloquy, page, accounts, settings, watch, accessible }) => {
  // Passkeys are made for names, not for numbers.
  const local = `http://localhost:${colloquy.port}`;
  watch.expect(/foreign host: http:\/\/localhost/);
  const present = await device(page);
  const email = `passkey-${Date.now()}@example.org`;
  await page.goto(`${local}/sign-up`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await accounts.fillSignUp({ name: 'Petra', email, password: 'four wet boats row 97' });
  await accounts.expectSignedIn();
  await page.goto(`${local}/settings`);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  const section = settings.section('Passkeys');
  await section.getByLabel('Name of the device').fill('My laptop');
  await section.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(section.getByRole('listitem')).toContainText('My laptop');
  await expect(page.getByRole('group', { name: 'Keep these recovery codes' }).getByRole('listitem')).toHaveCount(10);
  await accessible();

  await present(false);
  await accounts.signOut();
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
  await present(true);
  // The offer in the field may be quicker than the button.
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click({ timeout: 3_000 }).catch(() => undefined);
  await accounts.expectSignedIn();
});
