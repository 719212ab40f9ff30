// Package simteams is a fake Microsoft Teams that speaks the Bot Framework's wire formats: activities signed as the
// connector signs them, the OpenID metadata and keys they are checked with, the connector's REST interface, and a way
// to act as the people of the tenant.
//
// It is a witness, not a friend. It checks the bot's token, sizes, rates and rosters, and answers with the connector's
// own errors. It refuses to know the program it tests: it imports nothing of it, and what a person sees is drawn from
// what arrived over the wire and from nothing else. What clients of Teams would not show, nobody sees here, and
// Findings says why.
package simteams
