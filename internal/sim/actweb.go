package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"elevate/internal/sim/simchat"
)

// maxPresses ends a sign-in that goes in circles.
const maxPresses = 8

// journey is a way through the pages of a sign-in.
type journey struct {
	browser *browser
	upn     string // the account chosen at Entra
	slack   string // the account chosen at Slack
	stop    bool   // only look at the first page
	consent bool   // grant what an application asks for
}

func (s *Sandbox) actWeb(ctx context.Context, person string, words []string) (Result, error) {
	said := clauses(words, "as", "slack-as", "of", "stop", "private", "press", "device", "consent")
	b := s.browser(person)
	if _, private := said["private"]; private {
		b = s.newBrowser()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j, err := s.journey(b, person, said)
	if err != nil {
		return Result{}, err
	}
	if label, pressing := said["press"]; pressing {
		return shownPage(s.pressLabel(ctx, j, strings.Join(label, " ")))
	}
	if code, device := said["device"]; device {
		return s.webDevice(ctx, j, code)
	}
	switch first := strings.Join(said[""], " "); {
	case first == "page":
		return shownPage(b.current())
	case first == "forget":
		b.cookies, b.page = cookies{}, nil
		return Result{Text: "forgot all cookies"}, nil
	case first == "sign-in" || first == "open":
		link, err := s.link(person, said["of"])
		if err != nil {
			return Result{}, err
		}
		return shownPage(s.follow(ctx, j, link))
	case strings.HasPrefix(first, "http"), strings.HasPrefix(first, "open http"):
		return shownPage(s.follow(ctx, j, strings.TrimPrefix(first, "open ")))
	}
	return Result{}, unknown(append([]string{person, "web"}, words...))
}

// journey reads whom the person signs in as: themselves, unless said otherwise.
func (s *Sandbox) journey(b *browser, person string, said map[string][]string) (journey, error) {
	entra, slack := person, person
	if as := said["as"]; len(as) == 1 {
		entra = as[0]
	}
	if as := said["slack-as"]; len(as) == 1 {
		slack = as[0]
	}
	account, ok := s.cast.Person(entra)
	if !ok {
		return journey{}, s.nobody(entra)
	}
	member, ok := s.cast.Person(slack)
	if !ok {
		return journey{}, s.nobody(slack)
	}
	_, stop := said["stop"]
	_, consent := said["consent"]
	return journey{browser: b, upn: account.UPN, slack: member.Slack.UserID, stop: stop, consent: consent}, nil
}

// webDevice enters the code that a program showed, and signs in to it: CODE [decline].
func (s *Sandbox) webDevice(ctx context.Context, j journey, words []string) (Result, error) {
	if len(words) == 0 || len(words) > 2 || (len(words) == 2 && words[1] != "decline") {
		return Result{}, unknown(append([]string{"PERSON", "web", "device"}, words...))
	}
	page := s.LoginURL + "/" + s.cast.TenantID + "/oauth2/deviceauth?user_code=" + url.QueryEscape(words[0])
	if len(words) == 1 {
		j.consent = true
		return shownPage(s.follow(ctx, j, page))
	}
	if _, err := j.browser.visitLink(ctx, page); err != nil {
		return Result{}, err
	}
	j.stop = true
	return shownPage(s.pressLabel(ctx, j, "Cancel"))
}

func (b *browser) current() (*Page, error) {
	if b.page == nil {
		return nil, errors.New("the browser shows nothing yet")
	}
	return b.page, nil
}

// link is the last sign-in link that was shown to somebody: to the person, or to whom they took it from.
func (s *Sandbox) link(person string, of []string) (string, error) {
	if len(of) == 1 {
		person = of[0]
	}
	shown, err := s.shown(person)
	if err != nil {
		return "", err
	}
	for _, one := range slices.Backward(shown) {
		for _, link := range one.Links {
			if strings.HasPrefix(link, s.PublicURL+"/") {
				return link, nil
			}
		}
	}
	return "", fmt.Errorf("no link was shown to %s yet", person)
}

// shown is what a person sees in both chats, the oldest first. Not everybody is in both.
func (s *Sandbox) shown(person string) ([]simchat.Shown, error) {
	inSlack, errSlack := s.Slack.Sees(person, 0)
	inTeams, errTeams := s.Teams.Sees(person, 0)
	if errSlack != nil && errTeams != nil {
		return nil, errSlack
	}
	all := append(inSlack, inTeams...)
	slices.SortStableFunc(all, func(a, b simchat.Shown) int { return cmp.Compare(a.Revision, b.Revision) })
	return all, nil
}

// follow opens a link and presses on until a page of the bot's has no further form, or something is refused.
func (s *Sandbox) follow(ctx context.Context, j journey, link string) (*Page, error) {
	p, err := j.browser.visitLink(ctx, link)
	if err != nil || j.stop {
		return p, err
	}
	return s.goOn(ctx, j, p)
}

func (s *Sandbox) goOn(ctx context.Context, j journey, p *Page) (*Page, error) {
	for range maxPresses {
		f, button, ok := s.next(j, p)
		if !ok || p.Status >= 400 || p.Refusal != "" {
			return p, nil
		}
		var err error
		if p, err = j.browser.press(ctx, f, button); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// next is what the person presses: their account where one is to be chosen, else the page's first button.
func (s *Sandbox) next(j journey, p *Page) (form, formButton, bool) {
	wanted := ""
	if f, button, asked := consentButton(p); asked {
		return f, button, j.consent
	}
	switch origin(p.at) {
	case s.LoginURL:
		wanted = j.upn
	case s.SlackURL:
		wanted = j.slack
	}
	for _, f := range p.forms {
		for _, button := range f.buttons {
			if wanted == "" || button.value == wanted || len(f.buttons) == 1 {
				return f, button, true
			}
		}
	}
	return form{}, formButton{}, false
}

// consentButton finds what grants an application what it asks for: for everybody, where the person may say so.
func consentButton(p *Page) (form, formButton, bool) {
	for _, f := range p.forms {
		for _, value := range []string{"organization", "accept"} {
			for _, button := range f.buttons {
				if button.name == "consent" && button.value == value {
					return f, button, true
				}
			}
		}
	}
	return form{}, formButton{}, false
}

// pressLabel presses one button of the page and, unless told to stop, goes on from there.
func (s *Sandbox) pressLabel(ctx context.Context, j journey, label string) (*Page, error) {
	p, err := j.browser.current()
	if err != nil {
		return nil, err
	}
	var labels []string
	for _, f := range p.forms {
		for _, button := range f.buttons {
			if strings.HasPrefix(strings.ToLower(button.label), strings.ToLower(strings.TrimSuffix(label, "…"))) {
				if p, err = j.browser.press(ctx, f, button); err != nil || j.stop {
					return p, err
				}
				return s.goOn(ctx, j, p)
			}
			labels = append(labels, button.label)
		}
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("the page has no button %q; it has none at all", label)
	}
	return nil, fmt.Errorf("the page has no button %q; what can be pressed: %s", label, strings.Join(labels, ", "))
}

func shownPage(p *Page, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	r := Result{Page: p, Text: p.Text}
	if p.Refusal != "" {
		r.Text, r.Failed = r.Text+"\n! "+p.Refusal, p.Refusal
	}
	return r, nil
}
