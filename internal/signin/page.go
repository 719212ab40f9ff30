package signin

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"elevate/internal/pim"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// A tone is how a page ends: it decides a colour, and nothing else.
type tone string

const (
	plain tone = "plain"
	good  tone = "good"
	bad   tone = "bad"
)

// A page is all that a browser is ever shown. What people or other systems wrote stands in Facts and Lines, and the
// template escapes it.
type page struct {
	Status  int
	Tone    tone
	Title   string
	Lines   []string
	Facts   []fact
	Warning string
	Button  *button
	Note    string
}

type fact struct{ Label, Value string }

// A button is a form of one button. Token and Proof travel in its body, never in an address.
type button struct{ Label, Token, Proof string }

type pages struct {
	template *template.Template
	style    template.CSS
	policy   string
	sandbox  bool
}

func newPages(sandbox bool) (*pages, error) {
	parsed, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("signin: the page's template: %w", err)
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return &pages{
		template: parsed, style: template.CSS(pageCSS), sandbox: sandbox, //nolint:gosec // our own file
		// Browsers hold form-action against every redirect that follows the form too, and a tenant may send people on to its
		// own identity provider, whose address nobody here knows: so any address, but none without TLS.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self' https:; frame-ancestors 'none'; base-uri 'none'",
	}, nil
}

// head sets what every answer carries, redirects too.
func (p *pages) head(h http.Header) {
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

func (p *pages) write(w http.ResponseWriter, shown *page) {
	var body bytes.Buffer
	err := p.template.Execute(&body, struct {
		*page
		Style   template.CSS
		Sandbox bool
	}{shown, p.style, p.sandbox})
	if err != nil { // unreachable: the template takes every page, as its test shows
		http.Error(w, "Elevate cannot show this page.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if shown.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(shown.Status)
	_, _ = w.Write(body.Bytes()) // who has gone away needs no page
}

func accountFacts(account pim.ChatAccount, a ask) []fact {
	facts := []fact{{chatName(account.Chat) + " account", a.Name}, {"Workspace", a.Workspace}}
	if a.Name == "" {
		facts[0].Value = account.User
	}
	if a.Workspace == "" {
		facts[1].Value = account.Workspace
	}
	return facts
}

// proofFacts name the account for its owner, who may have several under one name.
func proofFacts(p *proof) []fact {
	facts := []fact{{"You signed in as", p.Name}}
	if p.Login != "" && p.Login != p.Name {
		facts = append(facts, fact{"Sign-in name", p.Login})
	}
	return facts
}

// startPage says whose link it is and what its button will do.
func (s *Service) startPage(link spendable, token, proof string) *page {
	chat := chatName(link.ticket.Account.Chat)
	p := &page{
		Status: http.StatusOK, Tone: plain, Title: "Sign in to Elevate", Facts: accountFacts(link.ticket.Account, link.ask),
		Warning: "Go on only if this is your " + chat + " account and you asked for this yourself. If somebody sent you this sign-in link, close this page.",
		Button:  &button{Label: "Sign in with Microsoft", Token: token, Proof: proof},
		Note:    "The sign-in link works once, for ten minutes. Opening it changed nothing.",
	}
	does, then := "Microsoft confirms that it is you", "."
	if !link.linked {
		p.Title = "Sign in and link your accounts"
		does = "You sign in with Microsoft first and with " + chat + " second, to show that both accounts are yours. Elevate links them"
	}
	if link.what != "" {
		p.Title = "Sign in and " + link.what
		then = ", and then what you began in " + chat + " goes on by itself."
	}
	p.Lines = []string{does + then}
	return p
}

// linkPage is for links that do not work.
func linkPage(title string, chat pim.Chat, why string) *page {
	return &page{
		Status: http.StatusNotFound, Tone: bad, Title: title,
		Lines: []string{why, newLink(chat) + ", or repeat the command that you wanted to sign in for."},
	}
}

// newLink says how to get another sign-in link; a full stop follows, or more.
func newLink(chat pim.Chat) string {
	return "Type /elevate sign-in in " + chatName(chat) + " for a new sign-in link"
}

// overPage stands in for a step that came twice: somebody reloaded its page, or went back to it.
func overPage(f flow) *page {
	chat := chatName(f.account.Chat)
	return &page{
		Status: http.StatusConflict, Tone: plain, Title: "This sign-in is over",
		Lines: []string{
			"You reloaded a page of it, or went back to one. What the page said holds, and nothing was done twice: each step works once.",
			"Close this page and go on in " + chat + ". If the sign-in did not work, type /elevate sign-in there for a new sign-in link.",
		},
		Facts: accountFacts(f.account, f.Ask),
	}
}

// errorPage says an error in its own words.
func errorPage(said *pim.Error) *page {
	p := &page{Status: statusOf(said.Kind), Tone: bad, Title: "Nothing was changed", Lines: []string{said.Message}}
	switch said.Kind {
	case pim.Forbidden:
		p.Title = "This sign-in was refused"
	case pim.Administered:
		p.Title = "An administrator has to help"
	case pim.Unavailable, pim.Throttled, pim.AnswerLost:
		p.Title = "This does not work at the moment"
	case pim.Internal:
		p.Title = "Something went wrong"
	case pim.Invalid, pim.NotFound, pim.Conflict, pim.SignIn:
	}
	return p
}

// wrongAccount says that somebody else signed in.
func wrongAccount(f flow, p *proof) error {
	chat := chatName(f.account.Chat)
	return &refusal{
		why: "another account than the linked one",
		err: pim.Errorf(pim.Forbidden, "This is another account than the linked one."),
		page: &page{
			Status: http.StatusForbidden, Tone: bad, Title: "This is another account",
			Lines: []string{
				"This sign-in link belongs to the " + chat + " account below, and that is linked to another Microsoft account than the one you signed in with. " +
					"What is linked stays linked. Elevate takes the two Microsoft accounts for one person from now on, so that neither can approve for the other.",
				"If it is your " + chat + " account, try again with the Microsoft account that it is linked to. If somebody sent you the sign-in link, close this page and tell your security team.",
			},
			Facts: proofFacts(p),
		},
	}
}

// wrongSlack says that somebody else signed in at Slack.
func wrongSlack(f flow) error {
	return &refusal{
		why: "another Slack account",
		err: pim.Errorf(pim.Forbidden, "This is another Slack account than the one of the link."),
		page: &page{
			Status: http.StatusForbidden, Tone: bad, Title: "This is another Slack account",
			Lines: []string{
				"The Slack account you signed in with is not the one this sign-in link was made for, which is named below. Nothing was linked, and your Microsoft sign-in was thrown away.",
				"If it is your account, sign in to Slack as yourself in this browser, and type /elevate sign-in there for a new sign-in link. " +
					"If somebody sent you this one, close this page and tell your security team.",
			},
			Facts: accountFacts(f.account, f.Ask),
		},
	}
}

// secondPage asks for the linked account, to add another one of the same person.
func secondPage(f flow, p *proof, b *button) *page {
	chat := chatName(f.account.Chat)
	lines := []string{
		"The " + chat + " account below is linked to another Microsoft account than the one you signed in with.",
		"If both are yours, sign in with the linked one now, and with " + chat + " after that. Then you can act as either of them, and Elevate takes both for one person.",
	}
	if f.account.Chat == pim.Teams {
		lines = []string{
			"In Teams you speak with another Microsoft account than the one you signed in with.",
			"If both are yours, sign in now with the one you use in Teams. Then you can act as either of them, and Elevate takes both for one person.",
		}
	}
	return &page{
		Status: http.StatusOK, Tone: plain, Title: "Is this a second account of yours?",
		Lines:   lines,
		Facts:   append(proofFacts(p), accountFacts(f.account, f.Ask)...),
		Warning: "Go on only if both accounts are yours and you asked for this yourself.",
		Button:  b,
	}
}
