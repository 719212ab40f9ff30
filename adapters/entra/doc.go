// Package entra speaks to Microsoft Graph: it activates, releases, cancels and decides as a signed-in person, and reads
// with the application's own read-only identity.
//
// The requests, models and serializers are those of msgraph-sdk-go. Around them stands what the SDK gets wrong: one
// RoundTripper that notes status, clock and request id and repairs spellings in answers before they are parsed, one
// table that turns Graph's errors into sentences, and an authentication that never sends a call without a token.
//
// The package refuses to repeat a call that changes something, to follow a redirect or a next page to another host, to
// let the application's token change anything, and to put an address, a token or an answer's text into an error.
package entra
