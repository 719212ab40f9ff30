package slack

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
)

// drawing turns cards and forms into Block Kit for one workspace.
type drawing struct {
	workspace string
	sandbox   bool
	now       time.Time
}

// line is a text that grows up to a limit. What does not fit is cut with an
// ellipsis, but never inside a token or an escaped character.
type line struct {
	b      strings.Builder
	left   int
	mrkdwn bool
	full   bool
}

func newLine(most int, mrkdwn bool) *line {
	return &line{left: most - card.Size(ellipsis), mrkdwn: mrkdwn}
}

// token adds something that must not be cut.
func (l *line) token(s string) {
	n := card.Size(s)
	switch {
	case l.full:
	case n > l.left:
		l.end()
	default:
		l.b.WriteString(s)
		l.left -= n
	}
}

// words adds a text character by character.
func (l *line) words(s string) {
	if l.mrkdwn {
		s = literal(s)
	}
	for _, r := range s {
		piece := string(r)
		if l.mrkdwn {
			piece = escape(piece)
		}
		l.token(piece)
	}
}

func (l *line) end() {
	l.full = true
	l.b.WriteString(ellipsis)
}

// object returns the text object, or nil when there is nothing in it.
func (l *line) object() *slack.TextBlockObject {
	s := l.b.String()
	if strings.TrimSpace(s) == "" {
		return nil
	}
	if l.mrkdwn {
		return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
	}
	return plain(s)
}

// plain is a text that Slack does not look into.
func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// words is a plain text object of our own words, cut to a limit; more than
// blanks has to be in it, so there is something to fall back on.
func words(s string, most int, otherwise string) *slack.TextBlockObject {
	s = strings.TrimSpace(tidy(s))
	if s == "" {
		s = otherwise
	}
	return plain(card.Cut(s, most))
}

// text draws a card's text. Without anything live in it, it is plain_text,
// which is inert by construction; else mrkdwn with every word made inert.
func (d drawing) text(t card.Text, most int) *slack.TextBlockObject {
	l := newLine(most, live(t))
	d.add(l, t)
	return l.object()
}

// live reports whether a text needs markup.
func live(t card.Text) bool {
	for _, s := range t {
		if s.Plain == "" && s.Typed == "" && s != (card.Span{}) {
			return true
		}
	}
	return false
}

func (d drawing) add(l *line, t card.Text) {
	for _, s := range t {
		d.span(l, s)
	}
}

func (d drawing) span(l *line, s card.Span) {
	switch {
	case s.Typed != "":
		l.words(tidy(s.Typed))
	case s.Plain != "":
		l.words(card.Visible(s.Plain))
	case s.Strong != "":
		d.wrapped(l, "*", literal(strings.TrimSpace(tidy(s.Strong))))
	case s.Code != "":
		d.wrapped(l, "`", code(s.Code))
	case !s.Time.IsZero():
		l.token(d.date(s.Time, "{time}", "15:04"))
	case !s.Account.IsZero():
		d.account(l, s.Account)
	case s.Link.URL != "":
		d.link(l, s.Link)
	}
}

// wrapped adds words between two marks, or without them when they have to be cut.
func (d drawing) wrapped(l *line, mark, s string) {
	whole := mark + escape(s) + mark
	if s == "" || card.Size(whole) > l.left {
		l.words(s)
		return
	}
	l.token(whole)
}

// date is a time that each viewer sees in their own time zone. The day is said
// when it is not near.
func (d drawing) date(t time.Time, form, layout string) string {
	if away := t.Sub(d.now).Abs(); away > 12*time.Hour {
		form, layout = "{date_short_pretty} "+form, "2006-01-02 "+layout
	}
	return fmt.Sprintf("<!date^%d^%s|%s UTC>", t.Unix(), form, t.UTC().Format(layout))
}

var userID = regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`)

// account mentions an account of this workspace. A user id of another one
// would name somebody else here.
func (d drawing) account(l *line, a pim.ChatAccount) {
	if !d.ours(a) {
		l.words("an account of another chat")
		return
	}
	l.token("<@" + a.User + ">")
}

func (d drawing) ours(a pim.ChatAccount) bool {
	return a.Chat == pim.Slack && a.Workspace == d.workspace && userID.MatchString(a.User)
}

var linkEscapes = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")

// link adds one of our own addresses, or its label alone when it is none that
// a browser should be sent to.
func (d drawing) link(l *line, to card.Link) {
	label := strings.ReplaceAll(tidy(to.Label), "|", "/")
	if !card.Browsable(to.URL) {
		l.words(label)
		return
	}
	target := linkEscapes.Replace(to.URL)
	if label == "" {
		l.token("<" + target + ">")
		return
	}
	l.token("<" + target + "|" + escape(label) + ">")
}
