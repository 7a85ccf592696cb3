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

/** What browsers and password managers leave out of a passkey, or break; each runs in the page before anything else. */
const managers: Record<string, () => void> = {
  'as browsers do': () => undefined,
  'toJSON throws': () => {
    PublicKeyCredential.prototype.toJSON = () => {
      throw new TypeError('Illegal invocation');
    };
  },
  'toJSON gives nothing useful': () => {
    Reflect.set(PublicKeyCredential.prototype, 'toJSON', () => ({}));
  },
  'no JSON forms and no extras': () => {
    for (const name of ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON']) {
      Reflect.deleteProperty(PublicKeyCredential, name);
    }
    for (const name of ['toJSON', 'getClientExtensionResults', 'authenticatorAttachment']) {
      Reflect.deleteProperty(PublicKeyCredential.prototype, name);
    }
    Reflect.deleteProperty(AuthenticatorAttestationResponse.prototype, 'getTransports');
  },
  'an object of its own with views of buffers': () => {
    const view = (buffer: ArrayBuffer | null): DataView | null => {
      if (!buffer) return null;
      const wide = new Uint8Array(buffer.byteLength + 7);
      wide.set(new Uint8Array(buffer), 3);
      return new DataView(wide.buffer, 3, buffer.byteLength);
    };
    const own = (given: Credential | null): Credential | null => {
      if (!(given instanceof PublicKeyCredential)) return given;
      const response: Record<string, unknown> = {};
      for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
        const bytes: unknown = Reflect.get(given.response, name);
        if (bytes instanceof ArrayBuffer) response[name] = view(bytes);
      }
      const rawId = new Uint8Array(given.rawId);
      return { id: given.id, type: given.type, rawId, authenticatorAttachment: null, response } as unknown as Credential;
    };
    const { create, get } = CredentialsContainer.prototype;
    CredentialsContainer.prototype.create = async function (options) {
      return own(await create.call(this, options));
    };
    CredentialsContainer.prototype.get = async function (options) {
      return own(await get.call(this, options));
    };
  },
};

for (const [manager, prepare] of Object.entries(managers)) {
  test(`a passkey is added and signs in with nothing else (${manager})`, async ({ colloquy, page, accounts, settings, watch, accessible }) => {
    await page.addInitScript(prepare);
    // Passkeys are made for names, not for numbers.
    const local = `http://localhost:${colloquy.port}`;
    watch.expect(/foreign host: http:\/\/localhost/);
    const present = await device(page);
    const email = `passkey-${Date.now()}-${Object.keys(managers).indexOf(manager)}@example.org`;
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
    // The device answers the offer in the field and the button at once, as no person does: then the one makes the other's
    // question void, and the person is asked to try again.
    watch.expect(/status of 422/);
    await expect(async () => {
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click({ timeout: 1_000 }).catch(() => undefined);
      await expect(page).toHaveURL(/\/$/, { timeout: 3_000 });
    }).toPass({ timeout: 20_000 });
    await accounts.expectSignedIn();
  });
}
