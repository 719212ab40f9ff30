// Package slack speaks Slack for Elevate: slash commands, interactions, views
// and events come in over HTTP or Socket Mode, cards go out as Block Kit.
//
// It has two halves. Client posts and rewrites cards (workflow.Messenger) and
// knows who may be listened to. Handler verifies what Slack sends, says it to
// the workflow in the workflow's own words and carries the answer back.
//
// It refuses to decide anything: what comes back in a button's value, in a
// view's private metadata or in a message is only ever an opaque id that the
// workflow looks up. It refuses input that is unsigned, stale, oversized or of
// another workspace, organisation or app; people who are guests, bots,
// strangers or deactivated; and channels that are shared with other
// organisations. Response URLs, trigger ids and tokens are used and forgotten:
// none is stored, logged or part of an error.
package slack
