package card

import (
	"net/url"
	"unicode/utf8"

	"elevate/internal/pim"
)

// SandboxMark stands on everything that the sandbox shows.
const SandboxMark = "SANDBOX \u00b7 nothing here is real"

// Busy is said when there is no room to take anything on.
const Busy = "Elevate has too much to do at this moment. Nothing was asked for and nothing was changed. Try again in a moment."

// Sign stands before a card's title, with a space behind it; "" for some tones.
func (t Tone) Sign() string {
	switch t {
	case Waiting:
		return "\u23F3 "
	case Good:
		return "\u2705 "
	case Bad:
		return "\u26D4 "
	case Alarm:
		return "\U0001F6A8 "
	case Neutral:
	}
	return ""
}

// Leads reports whether a button opens an address and changes nothing.
func (a Act) Leads() bool { return a == Open || a == SignIn }

// Decides reports whether a button rules on somebody's request.
func (a Act) Decides() bool { return a == Approve || a == ApproveWithReason || a == Deny }

// maxURL is the longest address that both chats take on a button.
const maxURL = 3000

// Browsable reports whether an address may be put on a card.
func Browsable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && utf8.ValidString(address) && Size(address) <= maxURL
}

// NotChecked is what a person is told when their account could not be used or
// not be looked up, so that nothing was done. account is the chat's word for it.
func NotChecked(err error, account string) string {
	e := pim.Explain(err)
	if e.Kind == pim.Forbidden {
		return e.Message
	}
	return "Elevate could not check your " + account + " in time, so nothing was asked for and nothing was changed. Try again in a moment."
}
