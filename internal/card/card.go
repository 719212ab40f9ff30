// Package card says what a card, a form or an answer tells to whom, free of any
// chat's markup. The adapters draw it; nothing here knows blocks or Adaptive
// Cards, and nothing here decides anything.
//
// What people typed is carried as Typed text, so that an adapter can make it
// inert; a card never mixes it into its own sentences.
package card

import (
	"time"

	"elevate/internal/pim"
)

// Tone says how a card stands, for the adapters' signs and colours.
type Tone string

// The tones of a card.
const (
	Neutral Tone = "neutral"
	Waiting Tone = "waiting"
	Good    Tone = "good"
	Bad     Tone = "bad"
	Alarm   Tone = "alarm"
)

// Card is one message or answer.
type Card struct {
	// Title is one line of our own words.
	Title string
	Tone  Tone
	// Lines are paragraphs under the title.
	Lines []Text
	// Facts are drawn as a table of labels and values.
	Facts []Fact
	// Steps are what happened so far, oldest first.
	Steps []Step
	// Buttons are drawn in a row; an adapter may break it.
	Buttons []Button
	// Sections are lists under the rest, in a card that holds several. Their rows
	// have their own buttons.
	Sections []Section `json:",omitempty"` // cards without any keep the hash that they had before there were any
	// Notes are small print.
	Notes []Text
	// Fallback is the notification and what a screen reader says; a whole sentence.
	Fallback string
	// Request is the request the card is about, or "".
	Request pim.RequestID
	// Mention are the accounts of this chat that the card calls (approvers, on-call).
	Mention []pim.ChatAccount
	// MentionNames are what they are called, one each, for a chat whose mentions carry a name.
	MentionNames []string
	// Personal are the accounts of this chat for whom the card has buttons of
	// their own, where the chat can show each person another view.
	Personal []pim.ChatAccount
}

// Text is a run of spans.
type Text []Span

// Span is a piece of text. Exactly one of its fields is set.
type Span struct {
	// Plain is our own words.
	Plain string
	// Strong is our own words, bold.
	Strong string
	// Typed was written by a person or comes from the directory: it must stay inert.
	Typed string
	// Time is shown in the viewer's own time zone.
	Time time.Time
	// Account is shown as a mention that does not notify more than needed.
	Account pim.ChatAccount
	// Link is our own address with a label.
	Link Link
	// Code is drawn as fixed-width: commands and ids.
	Code string
}

// Link is an address with its label.
type Link struct{ Label, URL string }

// Plain returns our own words as text.
func Plain(s string) Text { return Text{{Plain: s}} }

// Typed returns a person's words as text.
func Typed(s string) Text { return Text{{Typed: s}} }

// At returns a time as text.
func At(t time.Time) Text { return Text{{Time: t}} }

// Join puts texts behind each other.
func Join(parts ...Text) Text {
	var t Text
	for _, p := range parts {
		t = append(t, p...)
	}
	return t
}

// Section is a list with a heading.
type Section struct {
	Title string
	Rows  []Row
}

// Row is one entry of a section, with what can be done about it.
type Row struct {
	Text    Text
	Buttons []Button
}

// Fact is a label and its value.
type Fact struct {
	Label string
	Value Text
}

// Step is something that happened, with its time.
type Step struct {
	What Text
	At   time.Time
}

// Style says how a button looks.
type Style string

// The styles of a button.
const (
	Default Style = ""
	Primary Style = "primary"
	Danger  Style = "danger"
)

// Act is what a button does.
type Act string

// The acts of buttons.
const (
	Approve           Act = "approve"
	ApproveWithReason Act = "approve_reason" // opens a form for the reason
	Deny              Act = "deny"           // opens a form for the reason
	Cancel            Act = "cancel"
	Release           Act = "release"
	OpenForm          Act = "form"
	AskMost           Act = "ask_most" // asks again for the longest that is allowed
	Open              Act = "open"     // opens URL, changes nothing
	SignIn            Act = "sign_in"
	BeginSignIn       Act = "begin_sign_in" // answers with a sign-in link
	Refresh           Act = "refresh"       // draws the card anew
	Review            Act = "review"        // opens a form for the note
	Acknowledge       Act = "acknowledge"   // takes note of an alarm, which Digest names
)

// Button is one button. Request and Digest travel with a click and come back
// as untrusted input.
type Button struct {
	Label   string
	Act     Act
	Style   Style
	Request pim.RequestID
	Digest  string
	// Role preselects the role of the form that OpenForm opens.
	Role string
	// URL is set for Open and SignIn.
	URL string
	// Confirm asks before the click counts.
	Confirm *Confirm
}

// Confirm is the question before a click counts.
type Confirm struct {
	Title, Text, Yes, No string
}

// Form is what a person fills in.
type Form struct {
	// Name says which form it is: FormAsk, FormApprove, FormDeny or FormReview.
	Name   string
	Title  string // at most 24 characters
	Submit string // at most 24 characters
	Lines  []Text
	Fields []Field
	// Request and Digest come back with the form as untrusted input.
	Request pim.RequestID
	Digest  string
}

// The forms.
const (
	FormAsk     = "ask"
	FormApprove = "approve"
	FormDeny    = "deny"
	FormReview  = "review"
)

// The fields of forms.
const (
	FieldRole     = "role"
	FieldDuration = pim.FieldDuration
	FieldReason   = pim.FieldReason
	FieldNote     = "note"
	FieldTicket   = pim.FieldTicket
)

// Field is one field of a form.
type Field struct {
	Name     string
	Label    string
	Hint     string
	Value    string // what stands in it already
	Optional bool
	Long     bool // several lines
	Max      int  // characters
	Options  []Option
}

// Option is one choice of a field.
type Option struct{ Value, Label string }

// Filled is a form that came back.
type Filled struct {
	Name    string
	Request pim.RequestID
	Digest  string
	Values  map[string]string
	// Ref is the message that the form stood in, where it stood in a request's card.
	Ref pim.MessageRef
}
