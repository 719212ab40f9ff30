package entra

import (
	"context"
	"net/http"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

var groupProperties = []string{"id", "displayName", "isAssignableToRole"}

// GroupByName finds the one group that has this name or this object id, for the start. Names are not unique in
// a directory: two groups of the name are an error.
func (c *Client) GroupByName(ctx context.Context, nameOrID string) (id pim.GroupID, displayName string, roleAssignable bool, err error) {
	found, err := c.groupsLike(ctx, nameOrID)
	switch {
	case err != nil:
		return "", "", false, err
	case len(found) == 0:
		return "", "", false, pim.Errorf(pim.NotFound, "Microsoft Entra has no group %q. Check the name in the settings, or use the object id.", nameOrID)
	case len(found) > 1:
		return "", "", false, pim.Errorf(pim.Conflict, "Microsoft Entra has more than one group %q. Use the object id in the settings.", nameOrID)
	}
	return pim.NewGroupID(str(found[0].GetId())), str(found[0].GetDisplayName()), yes(found[0].GetIsAssignableToRole()), nil
}

func (c *Client) groupsLike(ctx context.Context, nameOrID string) ([]models.Groupable, error) {
	k, err := c.asApp(opGroup)
	if err != nil {
		return nil, err
	}
	if pim.IsGUID(nameOrID) {
		return k.groupWithID(ctx, nameOrID)
	}
	answer, err := k.groupsWhere(ctx, "displayName eq "+quoted(nameOrID))
	if err != nil {
		return nil, err
	}
	return c.groupPages(ctx, answer)
}

// groupsWhere asks for the groups that a filter lets through; two at a time, since more than one is one too many.
func (k *call) groupsWhere(ctx context.Context, filter string) (answer models.GroupCollectionResponseable, err error) {
	top := int32(2)
	err = k.do(ctx, func(ctx context.Context) (err error) {
		answer, err = k.groups().Get(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{Filter: &filter, Select: groupProperties, Top: &top},
		})
		return err
	})
	if err == nil && answer == nil {
		err = k.unreadable()
	}
	return answer, err
}

// groupPages reads on until two groups are known, which is as bad as more, or the list ends.
func (c *Client) groupPages(ctx context.Context, answer models.GroupCollectionResponseable) ([]models.Groupable, error) {
	found := answer.GetValue()
	for range maxPages {
		next := str(answer.GetOdataNextLink())
		if next == "" || len(found) > 1 {
			return found, nil
		}
		address, err := c.ours(next)
		if err != nil {
			return nil, err
		}
		k, err := c.asApp(opGroup)
		if err != nil {
			return nil, err
		}
		err = k.do(ctx, func(ctx context.Context) (err error) {
			answer, err = k.groups().WithUrl(address).Get(ctx, nil)
			return err
		})
		if err != nil {
			return nil, err
		}
		if answer == nil {
			return nil, k.unreadable()
		}
		found = append(found, answer.GetValue()...)
	}
	return nil, errEndless
}

func (k *call) groupWithID(ctx context.Context, id string) ([]models.Groupable, error) {
	var group models.Groupable
	err := k.do(ctx, func(ctx context.Context) (err error) {
		group, err = k.groups().ByGroupId(id).Get(ctx, &groups.GroupItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupItemRequestBuilderGetQueryParameters{Select: groupProperties},
		})
		return err
	})
	switch {
	case k.seen.status == http.StatusNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case group == nil:
		return nil, k.unreadable()
	}
	return []models.Groupable{group}, nil
}

func (k *call) groups() *groups.GroupsRequestBuilder {
	return groups.NewGroupsRequestBuilderInternal(k.root(), k.adapter)
}

// graphNow is the time by Graph's clock. Where no answer has told it yet, one cheap question is asked: any answer tells it.
func (c *Client) graphNow(ctx context.Context) (time.Time, error) {
	if now, known := c.clock.graph(); known {
		return now, nil
	}
	k, err := c.asApp(opClock)
	if err != nil {
		return time.Time{}, err
	}
	top := int32(1)
	err = k.do(ctx, func(ctx context.Context) error {
		_, err := k.groups().Get(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{Select: []string{"id"}, Top: &top},
		})
		return err
	})
	if now, known := c.clock.graph(); known {
		return now, nil
	}
	if err == nil {
		err = pim.Errorf(pim.Unavailable, "Microsoft Graph did not say what time it is. Nothing was asked for; try again in a minute.")
	}
	return time.Time{}, err
}
