package signin

import (
	"context"
	"net/http"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// A spendable is a link as it stands in the store.
type spendable struct {
	ticket store.Ticket
	ask    ask
	what   string
	linked bool
}

// show draws the page of a link. It changes nothing: whatever opens links in messages may open this one.
func (s *Service) show(r *http.Request) (answer, error) {
	browser, cookie := s.knowBrowser(r)
	token := one(r.URL.Query(), "t")
	link, err := s.look(token, browser)
	if err != nil {
		return answer{}, err
	}
	return answer{page: s.startPage(link, token, s.formProof(browser, token)), cookie: cookie}, nil
}

// look finds a link that can still be spent by this browser.
func (s *Service) look(token, browser string) (spendable, error) {
	var link spendable
	if !isToken(token) {
		return link, goneLink()
	}
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		if link, err = s.find(tx, token, browser); err != nil {
			return err
		}
		if link.what, err = s.cfg.Describe(tx, link.ticket.Intent); err != nil {
			return err
		}
		_, link.linked, err = s.owners(tx, link.ticket.Account)
		return err
	})
	return link, err
}

func (s *Service) find(tx *store.Tx, token, browser string) (spendable, error) {
	var link spendable
	ticket, found, err := s.openTicket(tx, kindLink, linkHash(token), &link.ask)
	switch {
	case err != nil:
		return link, err
	case !found:
		return link, goneLink()
	case !tx.Now().Before(link.ask.Until):
		return link, &refusal{why: "link expired", err: pim.Errorf(pim.NotFound, "The link does not work."), page: linkPage("This sign-in link has expired", ticket.Account.Chat,
			"Sign-in links work for ten minutes, and this one is older. Nothing was changed.")}
	case link.ask.Used:
		return link, &refusal{why: "link used", err: pim.Errorf(pim.NotFound, "The link does not work."), page: linkPage("This sign-in link was used already", ticket.Account.Chat,
			"Sign-in links work once. If you have signed in with it, go on in "+chatName(ticket.Account.Chat)+"; if not, the sign-in may still be open in another tab.")}
	case link.ask.Browser != "" && link.ask.Browser != browser:
		return link, notThisBrowser()
	}
	link.ticket = ticket
	return link, nil
}

func goneLink() error {
	return &refusal{why: "no such link", err: pim.Errorf(pim.NotFound, "The link does not work."), page: linkPage("This sign-in link does not work", "",
		"It is incomplete, was used already, or is older than ten minutes. Nothing was changed.")}
}

func notThisBrowser() error {
	return &refusal{why: "not this browser, or no such flow", err: pim.Errorf(pim.Forbidden, "The sign-in cannot go on."), page: &page{
		Status: http.StatusForbidden, Tone: bad, Title: "This sign-in cannot go on here",
		Lines: []string{
			"It was begun in another browser, took longer than ten minutes, or has ended already. Nothing was changed.",
			"Type /elevate sign-in in the chat and open the new sign-in link in the browser that you want to sign in with. Cookies must be allowed there.",
		},
	}}
}

// begin spends a link and sends the browser to Entra.
func (s *Service) begin(r *http.Request) (answer, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if r.ParseForm() != nil {
		return answer{}, goneLink()
	}
	token, browser := one(r.PostForm, "t"), s.browserOf(r)
	if !s.fromOurPage(r) || browser == "" || !s.formFits(one(r.PostForm, "proof"), browser, token) {
		return answer{}, notThisBrowser()
	}
	link, err := s.look(token, browser)
	if err != nil {
		return answer{}, err
	}
	f := flow{Ask: link.ask, Browser: browser, account: link.ticket.Account, intent: link.ticket.Intent}
	// The address first: while Entra cannot be reached, the link is not spent.
	away, err := s.depart(r.Context(), legEntra, f)
	if err != nil {
		return answer{}, err
	}
	_, cookie := s.knowBrowser(r)
	return answer{location: away.location, cookie: cookie}, s.spend(r.Context(), token, away)
}

// spend marks the link as used and stores the flow it became, both or neither.
func (s *Service) spend(ctx context.Context, token string, away departure) error {
	return s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		link, err := s.find(tx, token, away.flow.Browser)
		if err != nil {
			return err
		}
		link.ask.Used, link.ask.Other = true, nil
		if err := s.putTicket(tx, link.ticket, link.ask); err != nil {
			return err
		}
		return s.putFlow(tx, away)
	})
}
