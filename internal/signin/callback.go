package signin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// maxTries is how often somebody may try again from one link, with another account or a newer sign-in.
const maxTries = 3

// A departure is a browser about to be sent to an issuer.
type departure struct {
	location string
	hash     string
	flow     flow
}

// depart draws what binds the answer to this browser and makes the address.
func (s *Service) depart(ctx context.Context, to leg, f flow) (departure, error) {
	state := newToken()
	f.Nonce, f.Verifier = newToken(), newToken()
	address := s.entraURL
	if to == legSlack {
		address = s.slackURL
	}
	location, err := address(ctx, f, state)
	return departure{location: location, hash: stateHash(to, state), flow: f}, err
}

func (s *Service) putFlow(tx *store.Tx, d departure) error {
	return s.putTicket(tx, store.Ticket{
		Hash: d.hash, Kind: kindFlow, Account: d.flow.account, Intent: d.flow.intent, Expires: tx.Now().Add(ticketLife),
	}, d.flow)
}

// leave stores a departure and goes.
func (s *Service) leave(ctx context.Context, to leg, f flow) (answer, error) {
	away, err := s.depart(ctx, to, f)
	if err != nil {
		return answer{}, err
	}
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error { return s.putFlow(tx, away) })
	return answer{location: away.location}, err
}

// arrive takes the flow that a callback belongs to, once. Where it was not begun in this browser, or was made for the
// other issuer, there is none; nothing changes then, and the answer is the same whatever the state was.
func (s *Service) arrive(ctx context.Context, from leg, r *http.Request) (flow, error) {
	state, browser := one(r.URL.Query(), "state"), s.browserOf(r)
	if !isToken(state) || browser == "" {
		return flow{}, notThisBrowser()
	}
	var f flow
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		f = flow{}
		ticket, found, err := s.openTicket(tx, kindFlow, stateHash(from, state), &f)
		if err != nil {
			return err
		}
		if !found || f.Browser != browser {
			return s.notNow(tx, stateHash(from, state), browser)
		}
		f.account, f.intent = ticket.Account, ticket.Intent
		return s.putTicket(tx, store.Ticket{
			Hash: ticket.Hash, Kind: kindDone, Account: ticket.Account, Expires: tx.Now().Add(linkRemembered),
		}, flow{Browser: browser, Ask: ask{Name: f.Ask.Name, Workspace: f.Ask.Workspace}})
	})
	return f, err
}

// notNow tells somebody who reloads a page that the step is done, and everybody else nothing.
func (s *Service) notNow(tx *store.Tx, hash, browser string) error {
	var f flow
	ticket, found, err := s.openTicket(tx, kindDone, hash, &f)
	if err != nil {
		return err
	}
	if !found || f.Browser != browser {
		return notThisBrowser()
	}
	f.account = ticket.Account
	return &refusal{why: "the flow is over", err: pim.Errorf(pim.Conflict, "The sign-in is over."), page: overPage(f)}
}

// codeOf reads an issuer's answer.
func codeOf(query url.Values, from *issuer) (string, error) {
	if said := query.Get("iss"); said != "" && said != from.url {
		return "", from.distrust("another issuer answered")
	}
	if kind := query.Get("error"); kind != "" {
		return "", callbackFault(from, kind, query.Get("error_description"))
	}
	code := one(query, "code")
	if code == "" {
		return "", from.distrust("no code")
	}
	return code, nil
}

// fromEntra is where Entra sends the browser back to.
func (s *Service) fromEntra(r *http.Request) (answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishWithin)
	defer cancel()
	f, err := s.arrive(ctx, legEntra, r)
	if err != nil {
		return answer{}, err
	}
	code, err := codeOf(r.URL.Query(), s.entra)
	if err != nil {
		return s.offerAgain(ctx, f, err)
	}
	p, err := s.redeem(ctx, f, code)
	if err != nil {
		return s.offerAgain(ctx, f, err)
	}
	if f.Ask.Other == nil {
		if stale, err := s.stale(f, p); err != nil {
			return s.offerAgain(ctx, f, err)
		} else if stale {
			f.Ask.Again = true
			return s.leave(ctx, legEntra, f)
		}
	}
	return s.afterEntra(ctx, f, p)
}

// clocksApart is how far ahead of ours Microsoft's clock may be.
const clocksApart = 5 * time.Minute

// stale says that the sign-in is too old for what was interrupted, and that a new one has not been asked for yet.
func (s *Service) stale(f flow, p *proof) (bool, error) {
	fresh := true
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		since, err := s.since(tx, f.intent)
		if err == nil && !since.IsZero() && p.AuthTime.IsZero() {
			return &refusal{why: "no auth_time", err: pim.Errorf(pim.Administered, "Microsoft did not say when you signed in, and a decision needs that. "+
				"Tell an administrator to add the optional claim auth_time to the ID tokens of Elevate's registration.")}
		}
		if err == nil && !since.IsZero() && p.AuthTime.Sub(s.cfg.Now()) > clocksApart {
			return &refusal{why: "auth_time ahead", err: pim.Errorf(pim.Administered, "By Elevate's clock you signed in at a time that has not come yet, so nothing was decided. "+
				"Tell an administrator to check the clock of Elevate's host.")}
		}
		// ID tokens carry whole seconds.
		fresh = since.IsZero() || !p.AuthTime.Before(since.Truncate(time.Second))
		return err
	})
	if err == nil && !fresh && f.Ask.Again {
		return false, refuse("sign-in not fresh", "Decisions need a new sign-in, and Microsoft went on with an older one. "+
			"Sign in anew when Microsoft asks you to.")
	}
	return !fresh, err
}

// afterEntra goes on with a proved Entra account.
func (s *Service) afterEntra(ctx context.Context, f flow, p *proof) (answer, error) {
	var then next
	var said string
	alive := s.cfg.AccountAlive(ctx, f.account)
	err := s.settle(ctx, func(tx *store.Tx) error {
		var err error
		if then, err = s.judge(tx, f, p); err != nil || then != keepIt && then != addSecond {
			return err
		}
		// Slack out of reach says nothing of the account; before a decision it is asked again.
		if pim.IsKind(alive, pim.Forbidden) {
			return unusableAccount(alive)
		}
		if then == keepIt {
			return s.signedIn(tx, f.account, p)
		}
		said, err = s.linkAndSignIn(tx, f, p)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	s.cfg.Logger.Info("signed in at Entra", "account", f.account.String(), "person", string(p.Person), "next", then.String())
	switch then {
	case keepIt, addSecond:
		return answer{page: s.resume(ctx, f, said)}, nil
	case proveChat:
		f.Proof = p
		return s.leave(ctx, legSlack, f)
	case proveSecond:
		return s.offerSecond(ctx, f, p)
	case refuseIt:
	}
	return s.offerAgain(ctx, f, wrongAccount(f, p))
}

// settle runs a step. A refusal is an answer, not a failure: what was seen together stays written.
func (s *Service) settle(ctx context.Context, step func(*store.Tx) error) error {
	var denied *refusal
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		denied = nil
		err := step(tx)
		if errors.As(err, &denied) {
			return nil
		}
		return err
	})
	if err == nil && denied != nil {
		return denied
	}
	return err
}

// offerAgain shows a refusal with a button that begins again, in this browser.
func (s *Service) offerAgain(ctx context.Context, f flow, err error) (answer, error) {
	var why *refusal
	if !errors.As(err, &why) {
		return answer{}, err
	}
	shown := why.page
	if shown == nil {
		shown = errorPage(why.err)
	}
	shown.Facts = append(shown.Facts, accountFacts(f.account, f.Ask)...)
	if f.Ask.Tries+1 < maxTries && why.err.Kind != pim.Administered {
		next := ask{Name: f.Ask.Name, Workspace: f.Ask.Workspace, Claims: f.Ask.Claims, Browser: f.Browser, Choose: true, Tries: f.Ask.Tries + 1}
		if shown.Button, err = s.button(ctx, f, next, "Try again with Microsoft"); err != nil {
			return answer{}, err
		}
	} else if why.err.Kind != pim.Administered {
		shown.Lines = append(shown.Lines, newLink(f.account.Chat)+".")
	}
	return answer{}, &refusal{why: why.why, err: why.err, page: shown}
}

// offerSecond asks for the account that is linked, so that both are proved in this browser.
func (s *Service) offerSecond(ctx context.Context, f flow, p *proof) (answer, error) {
	next := f.Ask
	next.Browser, next.Choose, next.Again, next.Other = f.Browser, true, false, p
	button, err := s.button(ctx, f, next, "Sign in with the linked account")
	if err != nil {
		return answer{}, err
	}
	return answer{page: secondPage(f, p, button)}, nil
}

// button makes a link that lives in a form of this browser only.
func (s *Service) button(ctx context.Context, f flow, next ask, label string) (*button, error) {
	var token string
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		var err error
		token, err = s.putLink(tx, f.account, f.intent, next)
		return err
	})
	return &button{Label: label, Token: token, Proof: s.formProof(f.Browser, token)}, err
}

// fromSlack is where Slack sends the browser back to.
func (s *Service) fromSlack(r *http.Request) (answer, error) {
	if s.slack == nil {
		return answer{}, notThisBrowser()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishWithin)
	defer cancel()
	f, err := s.arrive(ctx, legSlack, r)
	if err != nil {
		return answer{}, err
	}
	code, err := codeOf(r.URL.Query(), s.slack)
	if err != nil {
		return answer{}, err
	}
	if err := s.proveSlack(ctx, f, code); err != nil {
		return answer{}, err
	}
	if err := s.cfg.AccountAlive(ctx, f.account); err != nil {
		return answer{}, unusableAccount(err)
	}
	return s.afterSlack(ctx, f)
}

func unusableAccount(err error) *refusal {
	return &refusal{why: "the chat account cannot be used", err: pim.Explain(err)}
}

// afterSlack links, keeps the session and goes on.
func (s *Service) afterSlack(ctx context.Context, f flow) (answer, error) {
	var said string
	err := s.settle(ctx, func(tx *store.Tx) error {
		var err error
		said, err = s.linkAndSignIn(tx, f, f.Proof)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	s.cfg.Logger.Info("linked", "account", f.account.String(), "person", string(f.Proof.Person))
	return answer{page: s.resume(ctx, f, said)}, nil
}

// linkAndSignIn writes what the proofs allow, and keeps the session of the account that was wanted. It returns what to tell.
func (s *Service) linkAndSignIn(tx *store.Tx, f flow, p *proof) (string, error) {
	f.Proof = p
	said, err := s.link(tx, f)
	if err != nil {
		return "", err
	}
	keep := p
	if f.Ask.Other != nil {
		keep = f.Ask.Other // the other one proved the link
	}
	return said, s.signedIn(tx, f.account, keep)
}
