// Package workflow carries a request from the words a person typed to the end
// of the access: asked, decided, granted, read back, over, read back.
//
// What comes in from a chat (Command, Click, Filled) and from the sign-in pages
// (Resume) is judged by the rules of package pim and written to the state file
// in one transaction together with its event and the effects it causes; the
// answer never waits for a network. The effects are run by the queue, at least
// once, each made safe to repeat: submit, decide, cancel, release and revoke as
// the person; watch, confirm, sweep, review and evidence with the read-only
// identity; card, board, alarm and tell towards the chats.
//
// It refuses to know any chat's name or markup, any Graph type, and to say that
// an access exists before the membership was read.
package workflow
