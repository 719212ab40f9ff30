package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/store"
)

const (
	sessionVersion = 1
	// onceWithin is the latest end of a session that ends with the effect it was opened for.
	onceWithin = time.Hour
)

// sessionPlace is the one place where a session's cache opens.
func (s *Service) sessionPlace(account pim.ChatAccount, person pim.PrincipalID) []byte {
	return keyset.Place{
		Bucket: "session", Tenant: s.cfg.TenantID, Object: string(person), Account: account.String(), Version: sessionVersion,
	}.AssociatedData()
}

// keepSession stores a sign-in, in place of the one before.
func (s *Service) keepSession(tx *store.Tx, account pim.ChatAccount, p *proof) error {
	sealed, err := s.cfg.Keys.Seal(p.Cache, s.sessionPlace(account, p.Person))
	if err != nil {
		return err
	}
	life := s.cfg.Session
	if life == 0 {
		life = onceWithin
	}
	return tx.PutSession(store.Session{
		Account: account, Tenant: pim.TenantID(s.cfg.TenantID), Person: p.Person, Name: p.Name, AuthTime: p.AuthTime, ACRS: p.ACRS,
		SignedIn: tx.Now(), Expires: tx.Now().Add(life),
	}, sealed)
}

// signInNeeded is the answer where only a browser can help.
func signInNeeded(claims string) error {
	return &pim.Error{Kind: pim.SignIn, Message: signInAgain, Claims: claims}
}

// Token gives an access token of a signed-in person, for the chat account the sign-in was made from and no other. A claims
// challenge, and everything else that takes a browser, is a *pim.Error of kind SignIn.
func (s *Service) Token(ctx context.Context, as pim.Actor, claims string) (secret.Text, time.Time, error) {
	if claims != "" {
		// A confidential client never asks the server again for claims.
		return secret.Text{}, time.Time{}, signInNeeded(claims)
	}
	leave, err := s.flights.enter(ctx, as.Account)
	if err != nil {
		return secret.Text{}, time.Time{}, pim.Errorf(pim.Unavailable, "The sign-in is being renewed. Try again in a moment.")
	}
	defer leave()
	session, sealed, err := s.session(as)
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	result, tokens, err := s.acquire(ctx, session, sealed)
	if err != nil {
		return secret.Text{}, time.Time{}, s.unusable(ctx, session, sealed, err)
	}
	if tokens.changed {
		if err := s.replaceCache(ctx, session, sealed, tokens.content); err != nil {
			return secret.Text{}, time.Time{}, err
		}
	}
	return secret.New(result.AccessToken), result.ExpiresOn, nil
}

// session finds the session of exactly this person and chat account, and its sealed cache.
func (s *Service) session(as pim.Actor) (session store.Session, sealed []byte, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		kept, found, err := tx.Session(as.Account)
		if err != nil {
			return err
		}
		if !found || as.Person == "" || kept.Person != as.Person || kept.Account != as.Account ||
			kept.Tenant != pim.TenantID(s.cfg.TenantID) || !tx.Now().Before(kept.Expires) {
			return signInNeeded("")
		}
		link, _, err := s.linkOf(tx, as.Account)
		if err != nil {
			return err
		}
		if s.cfg.Accounts != AccountsAnyOfPerson && slices.Contains(link.Also, kept.Person) {
			return signInNeeded("") // a second account's session ends with the setting that allowed it
		}
		session = kept
		sealed, err = tx.SessionCache(as.Account)
		return err
	})
	return session, sealed, err
}

// acquire opens a session and lets MSAL answer from it, or renew it.
func (s *Service) acquire(ctx context.Context, session store.Session, sealed []byte) (confidential.AuthResult, *tokenCache, error) {
	content, err := s.cfg.Keys.Open(sealed, s.sessionPlace(session.Account, session.Person))
	if err != nil {
		return confidential.AuthResult{}, nil, &refusal{why: "the session does not open", err: pim.Errorf(pim.SignIn, signInAgain)}
	}
	tokens := &tokenCache{content: content}
	client, err := s.msal(tokens)
	if err != nil {
		return confidential.AuthResult{}, nil, s.entra.distrust("client")
	}
	account, err := client.Account(ctx, s.homeAccount(session.Person))
	if err != nil || s.checkAccount(account, session.Person) != nil {
		return confidential.AuthResult{}, nil, &refusal{why: "the session holds another account", err: pim.Errorf(pim.SignIn, signInAgain)}
	}
	result, err := client.AcquireTokenSilent(ctx, s.cfg.Scopes, confidential.WithSilentAccount(account))
	if err != nil {
		return confidential.AuthResult{}, nil, silentFault(err)
	}
	if s.checkAccount(result.Account, session.Person) != nil {
		return confidential.AuthResult{}, nil, &refusal{why: "the renewal was for another account", err: pim.Errorf(pim.SignIn, signInAgain)}
	}
	return result, tokens, nil
}

// silentFault tells a cache without a usable refresh token, of which MSAL says only a text, from the other faults.
func silentFault(err error) error {
	if strings.Contains(err.Error(), "no token found") {
		return &refusal{why: "nothing to renew the session with", err: pim.Errorf(pim.SignIn, signInAgain)}
	}
	return entraFault(err)
}

// unusable ends a session that only the person can replace, and hands on why.
func (s *Service) unusable(ctx context.Context, session store.Session, sealed []byte, err error) error {
	var why *refusal
	if !errors.As(err, &why) {
		return err
	}
	s.cfg.Logger.Info("no token from a session", "account", session.Account.String(), "why", why.why)
	if why.err.Kind != pim.SignIn && !why.over {
		return why.err
	}
	ended := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		if same, err := stillThere(tx, session.Account, sealed); err != nil || !same {
			return err
		}
		return s.endSession(tx, session.Account, "it could not be renewed")
	})
	if ended != nil {
		return fmt.Errorf("ending a session: %w", ended)
	}
	return why.err
}

// replaceCache stores what MSAL renewed, unless the session ended or was replaced meanwhile.
func (s *Service) replaceCache(ctx context.Context, session store.Session, sealed, content []byte) error {
	return s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		same, err := stillThere(tx, session.Account, sealed)
		if err != nil {
			return err
		}
		if !same {
			return signInNeeded("")
		}
		renewed, err := s.cfg.Keys.Seal(content, s.sessionPlace(session.Account, session.Person))
		if err != nil {
			return err
		}
		return tx.PutSession(session, renewed)
	})
}

// stillThere says whether an account's session is the one whose cache that was: sealing never gives the same bytes twice.
func stillThere(tx *store.Tx, account pim.ChatAccount, sealed []byte) (bool, error) {
	kept, err := tx.SessionCache(account)
	return kept != nil && bytes.Equal(kept, sealed), err
}

// SignOut ends a chat account's session.
func (s *Service) SignOut(tx *store.Tx, account pim.ChatAccount) error {
	return s.endSession(tx, account, "")
}

// EndSession ends a session together with the effect it was opened for.
func (s *Service) EndSession(tx *store.Tx, account pim.ChatAccount) error {
	return s.endSession(tx, account, "what it was opened for is done")
}

func (s *Service) endSession(tx *store.Tx, account pim.ChatAccount, why string) error {
	session, found, err := tx.Session(account)
	if err != nil || !found {
		return err
	}
	event := pim.Event{Kind: pim.EventSignedOut, By: actorOf(account, session.Person, session.Name), Person: session.Person, Chat: account.Chat, Text: why}
	if why != "" {
		event.By, event.Chat = pim.Actor{Name: "Elevate"}, pim.System
	}
	if _, err := tx.Append(event); err != nil {
		return err
	}
	return tx.DeleteSession(account)
}

func actorOf(account pim.ChatAccount, person pim.PrincipalID, name string) pim.Actor {
	return pim.Actor{Person: person, Account: account, Name: name}
}
