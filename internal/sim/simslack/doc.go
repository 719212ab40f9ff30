// Package simslack is a fake Slack that speaks Slack's wire formats: the Web API, Sign in with Slack, signed commands,
// interactions and events over HTTP or Socket Mode, and a way to act as the people of the workspace.
//
// It is a witness, not a friend. It enforces scopes, token types, Block Kit limits, trigger ids that live three
// seconds, response URLs that take five posts, and the three-second deadline for an answer, each with Slack's own
// error. It refuses to know the program it tests: it imports nothing of it, and what a person sees is drawn from what
// arrived over the wire and from nothing else.
package simslack
