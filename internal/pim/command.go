package pim

import (
	"strings"
	"time"
)

// Verb is what a command asks Elevate to do.
type Verb string

// The verbs. Activate and Form are never typed: a role's name means the first,
// no word at all the second.
const (
	VerbActivate  Verb = "activate"
	VerbForm      Verb = "form"
	VerbRoles     Verb = "roles"
	VerbStatus    Verb = "status"
	VerbApprovals Verb = "approvals"
	VerbWho       Verb = "who"
	VerbRelease   Verb = "release"
	VerbCancel    Verb = "cancel"
	VerbRevoke    Verb = "revoke"
	VerbApprove   Verb = "approve"
	VerbDeny      Verb = "deny"
	VerbHistory   Verb = "history"
	VerbReview    Verb = "review"
	VerbSignIn    Verb = "sign-in"
	VerbSignOut   Verb = "sign-out"
	VerbUnlink    Verb = "unlink"
	VerbHelp      Verb = "help"
)

// Verbs returns the verbs that people type, in the order of the help.
func Verbs() []Verb {
	return []Verb{
		VerbRoles, VerbStatus, VerbApprovals, VerbWho, VerbRelease, VerbCancel, VerbRevoke, VerbApprove,
		VerbDeny, VerbHistory, VerbReview, VerbSignIn, VerbSignOut, VerbUnlink, VerbHelp,
	}
}

// Reserved reports whether a role may not have this name, because it would be
// read as something else.
func Reserved(name string) bool {
	return strings.EqualFold(name, "elevate") || verbNamed(name) != ""
}

func verbNamed(word string) Verb {
	for _, v := range Verbs() {
		if strings.EqualFold(word, string(v)) {
			return v
		}
	}
	return ""
}

// Command is what a person typed, understood.
type Command struct {
	Verb Verb
	// Role is the name of a role of the settings: for activate and release, and
	// for who and history when one was named.
	Role string
	// Request is for cancel, revoke, approve, deny and review, and for history
	// when the word can be an id.
	Request RequestID
	// Asked is for activate. It has to pass CheckAsked.
	Asked Asked
	// Reason is what stands behind the request's id or the released role. It
	// has to pass CheckReason.
	Reason string
	// Name is the whole text behind history.
	Name string
}

// Reading is what a command is read against.
type Reading struct {
	Roles Roles
	Now   time.Time
	// Zone is the person's time zone; nil is UTC.
	Zone *time.Location
}

func (in Reading) zone() *time.Location {
	if in.Zone == nil {
		return time.UTC
	}
	return in.Zone
}

// punctuation is what may stand around a word and does not belong to it.
const punctuation = `.,;:!?()[]<>"'“”„‟‘’‚‛«»` + "`"

// ParseCommand returns what a text means, with or without "/elevate" before
// it. Its errors are whole sentences; what people typed is not repeated in them,
// and the verb is returned all the same.
func ParseCommand(text string, in Reading) (Command, error) {
	words := strings.Fields(Tidy(text))
	if len(words) > 0 && strings.EqualFold(strings.TrimPrefix(words[0], "/"), "elevate") {
		words = words[1:]
	}
	if len(words) == 0 {
		return Command{Verb: VerbForm}, nil
	}
	if strings.TrimPrefix(words[0], "/") == "?" {
		return Command{Verb: VerbHelp}, nil
	}
	first, rest := plainWord(words[0]), words[1:]
	if verb := verbNamed(first); verb != "" {
		c, err := parseVerb(verb, rest, in)
		if err != nil {
			return Command{Verb: verb}, err
		}
		return c, nil
	}
	if role, ok := in.Roles.typed(first); ok {
		return parseActivation(role, rest, in)
	}
	return Command{}, unknown(first, in.Roles, true)
}

// plainWord is a word without a slash before it and punctuation around it.
func plainWord(word string) string {
	return strings.TrimPrefix(strings.Trim(word, punctuation), "/")
}

// typed returns the role a person named, without regard to case.
func (rs Roles) typed(word string) (Role, bool) {
	for _, r := range rs {
		if strings.EqualFold(r.Name, word) {
			return r, true
		}
	}
	return Role{}, false
}

func parseActivation(role Role, words []string, in Reading) (Command, error) {
	t := timing{in: in}
	rest, err := t.read(words)
	if err != nil {
		return Command{}, err
	}
	t.asked.Reason = unquote(strings.Join(rest, " "))
	t.asked.Ticket = role.FindTicket(t.asked.Reason)
	return Command{Verb: VerbActivate, Role: role.Name, Asked: t.asked}, nil
}

func parseVerb(verb Verb, rest []string, in Reading) (Command, error) {
	c := Command{Verb: verb}
	switch verb {
	case VerbRelease:
		return c.withRole(rest, in)
	case VerbWho:
		if len(rest) == 0 {
			return c, nil
		}
		return c.withRole(rest, in)
	case VerbCancel, VerbApprove:
		return c.withRequest(rest, false)
	case VerbRevoke, VerbDeny, VerbReview:
		return c.withRequest(rest, true)
	case VerbHistory:
		return c.about(rest, in), nil
	case VerbActivate, VerbForm, VerbRoles, VerbStatus, VerbApprovals, VerbSignIn, VerbSignOut, VerbUnlink, VerbHelp:
		return c, nil
	}
	return Command{}, Errorf(Internal, "Elevate does not know this command.") // unreachable: the switch names every verb
}

func (c Command) withRole(words []string, in Reading) (Command, error) {
	if len(words) == 0 {
		return Command{}, Errorf(Invalid, "Say which role, as in /elevate %s %s.", c.Verb, in.Roles.example())
	}
	name := plainWord(words[0])
	role, ok := in.Roles.typed(name)
	if !ok {
		return Command{}, unknown(name, in.Roles, false)
	}
	c.Role, c.Reason = role.Name, unquote(strings.Join(words[1:], " "))
	return c, nil
}

// example is a role's name for a sentence that shows how to say it.
func (rs Roles) example() string {
	if len(rs) == 0 {
		return "<role>"
	}
	return rs[0].Name
}

func (c Command) withRequest(words []string, needsReason bool) (Command, error) {
	if len(words) == 0 {
		return Command{}, Errorf(Invalid, "Say which request, by the six letters and digits on its card, as in /elevate %s k7m2pq%s.", c.Verb, wanted(needsReason))
	}
	if c.Request = ParseRequestID(plainWord(words[0])); c.Request == "" {
		return Command{}, Errorf(NotFound, "There is no such request: an id is the six letters and digits on the card, as in /elevate %s k7m2pq%s.", c.Verb, wanted(needsReason))
	}
	c.Reason = unquote(strings.Join(words[1:], " "))
	if c.Verb == VerbReview {
		return c, CheckNote(c.Reason)
	}
	if needsReason && c.Reason == "" {
		return Command{}, Errorf(Invalid, "Say why, as in /elevate %s %s%s.", c.Verb, c.Request, wanted(true))
	}
	return c, nil
}

func wanted(reason bool) string {
	if reason {
		return " because …"
	}
	return ""
}

// about fills in what the history is wanted of: everything, a role, a request
// or a person. A short name can look like an id, so Name holds it in any case.
func (c Command) about(words []string, in Reading) Command {
	if len(words) == 0 {
		return c
	}
	c.Name = unquote(strings.Join(words, " "))
	if len(words) > 1 {
		return c
	}
	word := plainWord(words[0])
	if role, ok := in.Roles.typed(word); ok {
		c.Role = role.Name
		return c
	}
	c.Request = ParseRequestID(word)
	return c
}

// quotes are the pairs that people and their keyboards put around a reason.
var quotes = []struct{ open, end string }{
	{`"`, `"`}, {`'`, `'`}, {"“", "”"}, {"”", "”"}, {"„", "“"}, {"„", "”"}, {"‘", "’"}, {"’", "’"}, {"‚", "‘"}, {"«", "»"}, {"»", "«"}, {"`", "`"},
}

// unquote takes away one pair of quotes around the whole text. Quotes that
// stand inside it too are left alone, for they may belong to words.
func unquote(text string) string {
	for _, q := range quotes {
		inner, opened := strings.CutPrefix(text, q.open)
		inner, closed := strings.CutSuffix(inner, q.end)
		if opened && closed && !strings.Contains(inner, q.open) && !strings.Contains(inner, q.end) {
			return strings.TrimSpace(inner)
		}
	}
	return text
}
