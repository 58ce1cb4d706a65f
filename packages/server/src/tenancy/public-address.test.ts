import { expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../../test/builders/self-signed-certificate.ts';
import { publicAddressFrom } from './public-address.ts';

const listen = { host: '192.0.2.1', port: 8443 };
const { certificate: pem, pin } = selfSignedCertificate();
const certificate = Buffer.from(pem);

test('without a public URL computers are told where the server listens', () => {
  const settings = { listen, publicUrl: null, certificate };
  expect(publicAddressFrom(settings)).toEqual({ address: 'https://192.0.2.1:8443', certificatePin: pin });
});

test('the pin is that of the first certificate of a chain', () => {
  const chain = Buffer.from(pem + selfSignedCertificate().certificate);
  expect(publicAddressFrom({ listen, publicUrl: null, certificate: chain }).certificatePin).toBe(pin);
});

test('a public URL counts instead, without what comes after its port', () => {
  const settings = { listen: null, publicUrl: 'https://backup.example/some/path', certificate };
  expect(publicAddressFrom(settings).address).toBe('https://backup.example');
});

test.each([
  ['every interface', { listen: { host: '::', port: 1 }, publicUrl: null, certificate }],
  ['nothing at all', { listen: null, publicUrl: null, certificate }],
  ['https without a certificate', { listen, publicUrl: 'https://x', certificate: null }],
  ['no address', { listen, publicUrl: 'backup.example', certificate }],
  ['a certificate that is none', { listen, publicUrl: null, certificate: Buffer.from('x') }],
])('%s is refused', (_, settings) => {
  expect(() => publicAddressFrom(settings)).toThrow(expect.objectContaining({ code: 'settings_invalid' }));
});
