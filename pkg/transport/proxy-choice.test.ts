import { describe, expect, test } from 'vitest';

import { proxyFor } from './proxy-choice.ts';

describe('which proxy', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['https://api.example.com:6443', {}, undefined],
    ['https://api.example.com:6443', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https://api.example.com:6443', { https_proxy: 'p:3128' }, 'http://p:3128/'],
    ['https://api.example.com:6443', { HTTP_PROXY: 'http://p:3128' }, undefined],
    ['http://api.example.com', { HTTP_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https://api.example.com', { HTTPS_PROXY: 'socks5://p', NO_PROXY: '' }, 'socks5://p'],
    ['https://localhost:6443', { HTTPS_PROXY: 'http://p' }, undefined],
    ['https://127.9.9.9:6443', { HTTPS_PROXY: 'http://p' }, undefined],
    ['https://[::1]:6443', { HTTPS_PROXY: 'http://p' }, undefined],
  ])('%s with %j', (server, environment, expected) => {
    expect(proxyFor(new URL(server), undefined, environment)?.href).toBe(expected);
  });

  test.each<[string, string, boolean]>([
    ['https://api.example.com', '*', true],
    ['https://api.example.com', 'example.com', true],
    ['https://example.com', 'example.com', true],
    ['https://notexample.com', 'example.com', false],
    ['https://api.example.com', '.example.com', true],
    ['https://example.com', '.example.com', false],
    ['https://api.example.com', '*.example.com', true],
    ['https://API.Example.COM', 'a, EXAMPLE.com ,b', true],
    ['https://api.example.com:6443', 'example.com:6443', true],
    ['https://api.example.com:6443', 'example.com:443', false],
    ['https://api.example.com', 'example.com:443', true],
    ['https://10.0.0.1:443', '10.0.0.0/8', true],
    ['https://11.0.0.1:443', '10.0.0.0/8', false],
    ['https://10.0.0.1:6443', '10.0.0.1', true],
    ['https://10.0.0.1:6443', '10.0.0.1:6443', true],
    ['https://10.0.0.1:6443', '10.0.0.1:6444', false],
    ['https://10.0.0.11:6443', '10.0.0.1', false],
    ['https://[fd00::1]:6443', 'fd00::/8', true],
    ['https://[fd00::1]:6443', 'fd00:0:0::1', true],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
    ['https://[fd00::1]:6443', '10.0.0.0/8', false],
    ['https://10.0.0.1', '10.0.0.0/99', false],
  ])('%s is exempt by %s: %s', (server, list, exempt) => {
    const chosen = proxyFor(new URL(server), undefined, { HTTPS_PROXY: 'http://p', NO_PROXY: list });
    expect(chosen === undefined).toBe(exempt);
  });

  test("the kubeconfig's proxy goes before everything", () => {
    expect(
      proxyFor(new URL('https://127.0.0.1'), 'socks5://q:1', { HTTPS_PROXY: 'http://p', NO_PROXY: '*' })?.href,
    ).toBe('socks5://q:1');
  });

  test.each(['ftp://p', 'http://'])('%s is no proxy', (text) => {
    expect(() => proxyFor(new URL('https://a'), text, {})).toThrow('is no proxy address');
  });
});
