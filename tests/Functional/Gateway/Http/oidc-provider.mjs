// An OpenID provider for tests, which also hands out what no provider should: POST /bend names what is wrong with the next ID tokens.
// usage: node oidc-provider.mjs PACKAGES PORT CALLBACK
import { generateKeyPairSync } from 'node:crypto'
import { pathToFileURL } from 'node:url'

const [packages, port, callback] = process.argv.slice(2)
const { default: Provider } = await import(pathToFileURL(`${packages}/oidc-provider/lib/index.js`))
const { SignJWT, decodeJwt } = await import(pathToFileURL(`${packages}/jose/dist/webapi/index.js`))

const key = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const [ours, others] = [key(), key()]
const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [{ client_id: 'gateway', client_secret: 's e', redirect_uris: [callback], token_endpoint_auth_method: 'client_secret_post' }],
  jwks: { keys: [{ ...ours.export({ format: 'jwk' }), kid: 'ours', alg: 'RS256', use: 'sig' }] },
  claims: { openid: ['sub'], profile: ['preferred_username', 'roles'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['tests'] },
  // Who logs in as guest has another role.
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, preferred_username: sub, roles: ['user', sub === 'guest' ? 'visitor' : 'dicom-admin'] }) }),
})

let bent = ''
const bends = {
  audience: claims => ({ ...claims, aud: 'another' }),
  issuer: claims => ({ ...claims, iss: 'https://another.example' }),
  nonce: claims => ({ ...claims, nonce: 'another' }),
  expired: claims => ({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
  signature: claims => claims,
}
provider.use(async (context, next) => {
  if (context.path === '/bend') {
    bent = context.query.by
    context.status = 204
    return
  }
  await next()
  if (context.path === '/token' && bent && context.body.id_token) {
    const claims = bends[bent](decodeJwt(context.body.id_token))
    context.body.id_token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'ours' }).sign(bent === 'signature' ? others : ours)
  }
})
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'))
