import assert from 'node:assert/strict';

export interface Login {
  readonly user: string;
  readonly password: string;
}

const basic = ({ user, password }: Login): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The status of a page for this user; 0 where nothing listens. */
export async function statusAs(port: number, path: string, user: string, password: string): Promise<number> {
  const headers = { authorization: basic({ user, password }) };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: 'manual' }).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.status ?? 0;
}

/** Adds a page to the site Plone over plone.restapi. */
export async function addPage(port: number, login: Login, title: string): Promise<void> {
  const answer = await request(port, login, '/Plone', {
    method: 'POST',
    body: JSON.stringify({ '@type': 'Document', title }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

/** The title of a page of the site Plone. */
export async function getPage(port: number, login: Login, id: string): Promise<string> {
  const answer = await request(port, login, `/Plone/${id}`, {});
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  const { title }: { readonly title: string } = JSON.parse(text);
  return title;
}

async function request(port: number, login: Login, path: string, init: RequestInit): Promise<Response> {
  const json = 'application/json';
  const headers = { authorization: basic(login), accept: json, 'content-type': json };
  return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
}
