#!/usr/bin/env node
// Prepares the OHIF viewer that the service shows at /viewer/: takes the prebuilt one out of the npm package @ohif/app, pinned by version and hash, leaves
// out what nobody asks for, makes its paths follow the place where it is served, and compresses it.
// usage: node infra/viewer.mjs DIR                                          for functions: DIR is its folder `viewer`
//        node infra/viewer.mjs DIR --static --base /viewer/ --dicomweb URL   plain files for any static hosting; URL as browsers reach it, such as
//                                                                            https://dicom.example.org/dicomweb
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const version = '3.13.2'
const integrity = 'sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=='
// Counts up when this script makes other files of the same version.
const preparation = 1

const [target, ...options] = process.argv.slice(2)
const option = name => options.includes(name) ? options[options.indexOf(name) + 1] : undefined
const isStatic = options.includes('--static'), base = option('--base') ?? '/viewer/', dicomweb = option('--dicomweb')
if (!target || target.startsWith('-') || (isStatic && !(base.startsWith('/') && base.endsWith('/') && /^https?:\/\/[^\s"'<>]+[^/]$/.test(dicomweb ?? '')))) {
  console.error('usage: node infra/viewer.mjs DIR [--static --base /viewer/ --dicomweb https://HOST/dicomweb]')
  process.exit(2)
}

const stamp = `@ohif/app ${version} ${preparation}${isStatic ? ` ${base} ${dicomweb}` : ''}\n`
const stampFile = join(target, 'viewer.version')
const isMade = () => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
if (isMade()) process.exit(0)

// Made beside its place and moved there whole, so that nobody meets half a viewer.
mkdirSync(dirname(resolve(target)), { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'viewer-')), made = `${resolve(target)}.${process.pid}`
try {
  const source = unpack(work)
  rmSync(made, { recursive: true, force: true })
  let [count, bytes] = [0, 0]
  for (const file of files(source)) {
    const name = relative(source, file)
    if (isLeftOut(name)) continue
    bytes += await write(placed(name), prepare(name, readFileSync(file)))
    count++
  }
  await write('LICENSE', readFileSync(join(source, '..', 'LICENSE')))
  const configuration = readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'viewer-config.js'), 'utf8')
  await write('app-config.js', Buffer.from(isStatic ? fill(configuration) : configuration))
  writeFileSync(join(made, 'viewer.version'), stamp)
  place()
  console.log(`${target}: OHIF ${version}, ${count} files, ${Math.round(bytes / 1e6)} MB`)
} finally {
  rmSync(work, { recursive: true, force: true })
  rmSync(made, { recursive: true, force: true })
}

// Never removes what is whole: somebody who was as fast may serve it already.
function place() {
  const old = `${made}.old`
  for (let tries = 0; !isMade(); tries++) {
    try {
      if (existsSync(target)) renameSync(target, old)
      renameSync(made, target)
    } catch (error) {
      if (tries === 5) throw error
    } finally {
      rmSync(old, { recursive: true, force: true })
    }
  }
}

function unpack(folder) {
  execFileSync('npm', ['pack', `@ohif/app@${version}`, '--pack-destination', folder, '--silent'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz')))
  const found = 'sha512-' + createHash('sha512').update(readFileSync(tarball)).digest('base64')
  if (found !== integrity) throw new Error(`The package @ohif/app ${version} is not the one that was reviewed: ${found} instead of ${integrity}.`)
  execFileSync('tar', ['-xzf', tarball, '-C', folder, 'package/dist', 'package/LICENSE', '--exclude=package/dist/ort', '--exclude=*.map'])
  return join(folder, 'package', 'dist')
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name)).sort()
}

// The configurations are examples; the service worker and the page that renews logins (and what it loads) would fetch programs from elsewhere; the rest is of
// other hosting services.
function isLeftOut(name) {
  return ['app-config.js', 'google.js', 'sw.js', 'init-service-worker.js', 'silent-refresh.html', 'oidc-client.min.js', 'es6-shim.min.js', 'polyfill.min.js',
    '_headers', '_redirects', 'serve.json'].includes(name) || name.startsWith('ort/') || name.endsWith('.map')
}

// Our changes are part of the program's name: browsers keep it for a year.
function placed(name) {
  return name.replace(/^(app\.bundle\.[0-9a-f]{16})\.js$/, `$1-${preparation}.js`)
}

// The build holds "/" as the place where it is served, in several forms.
function prepare(name, content) {
  if (name === 'index.html') {
    let page = content.toString('utf8')
    page = replaceSome(page, /<script rel="preload"[^>]*src="\/init-service-worker\.js"><\/script>/, '')
    page = replaceSome(page, /((?:href|src|content)=")\//g, '$1{{base}}')
    page = replaceSome(page, /window\.PUBLIC_URL="\/"/g, 'window.PUBLIC_URL="{{base}}"')
    page = replaceSome(page, /(app\.bundle\.[0-9a-f]{16})\.js/, `$1-${preparation}.js`)
    return Buffer.from(isStatic ? fill(page) : page)
  }
  if (name.endsWith('.css')) return Buffer.from(content.toString('utf8').replaceAll(/url\(\//g, 'url('))
  if (name === 'manifest.json') return Buffer.from(replaceSome(content.toString('utf8'), /"\/assets\//g, '"assets/'))
  if (!name.endsWith('.js')) return content
  const text = content.toString('utf8')
  // Pages know it from index.html, workers are told by where they come from.
  const place = '(typeof window!=="undefined"?window.PUBLIC_URL:new URL("./",self.location.href).pathname)'
  if (name.startsWith('app.bundle.')) return Buffer.from(replaceSome(text, '__webpack_require__.p = "/"', `__webpack_require__.p = ${place}`))
  return Buffer.from(text.replaceAll('__webpack_require__.p = "/"', `__webpack_require__.p = ${place}`))
}

function replaceSome(text, what, by) {
  const changed = text.replace(what, by)
  if (changed === text) throw new Error(`OHIF ${version} is built in another way than this script knows: ${what} is not in it.`)
  return changed
}

function fill(text) {
  return text.replaceAll('{{base}}', base).replaceAll('{{router}}', base.length > 1 ? base.slice(0, -1) : '/').replaceAll('{{dicomweb}}', dicomweb)
}

// What compresses is kept compressed only: who takes neither form gets it unpacked.
async function write(name, content) {
  const path = join(made, name)
  mkdirSync(dirname(path), { recursive: true })
  const compresses = ['.js', '.css', '.html', '.json', '.svg', '.wasm', '.ttf', '.webapp', '.xml'].includes(extname(name)) && content.length > 512
    && !['index.html', 'app-config.js'].includes(name)
  if (isStatic || !compresses) writeFileSync(path, content)
  else {
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(content, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
      }),
      promisify(gzip)(content, { level: 9 }),
    ])
    writeFileSync(path + '.br', br)
    writeFileSync(path + '.gz', gz)
    return br.length + gz.length
  }
  return content.length
}
