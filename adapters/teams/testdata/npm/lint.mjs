// Reads a file with {name: card}, parses each card as version 1.5, and says what the library has against it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const cards = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js')
const all = JSON.parse(readFileSync(process.argv[2], 'utf8'))
let bad = 0
for (const [name, json] of Object.entries(all)) {
  const card = new cards.AdaptiveCard()
  const context = new cards.SerializationContext(cards.Versions.v1_5)
  card.parse(json, context)
  const said = []
  for (let i = 0; i < context.eventCount; i++) said.push(context.getEventAt(i).message)
  for (const failure of card.validateProperties().validationEvents) said.push(failure.message ?? JSON.stringify(failure))
  for (const message of said) { bad++; console.log(`${name}: ${message}`) }
}
console.log(`${Object.keys(all).length} cards, ${bad} remarks`)
process.exit(bad > 0 ? 1 : 0)
