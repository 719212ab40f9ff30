// Reads a Teams manifest and holds it against the schema that it names, from Microsoft's own package.
import { readFileSync } from 'node:fs'
import Ajv from 'ajv-draft-04'
import formats from 'ajv-formats'

const manifest = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const version = manifest.manifestVersion
const schema = JSON.parse(readFileSync(new URL(`./node_modules/@microsoft/app-manifest/build/json-schemas/teams/v${version}/MicrosoftTeams.schema.json`, import.meta.url), 'utf8'))
const ajv = new Ajv({ strict: false, allErrors: true })
formats(ajv)
const valid = ajv.validate(schema, manifest)
for (const e of ajv.errors ?? []) console.log(`${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`)
console.log(`version ${version}: ${valid ? 'valid' : 'not valid'}`)
process.exit(valid ? 0 : 1)
