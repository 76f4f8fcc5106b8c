"""The endpoints about the organization itself, and about those that are connected with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.records.values import as_moment
from tap_rewards.client import RewardsStream, WholeStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

    from tap_core.paging.paginator import Query


class Organizations(RewardsStream):
    """One row: the organization that the key belongs to."""

    name = "organizations"
    path = "/organizations"
    repairs = {"created_at": as_moment}  # a day in some answers


class MembersStream(RewardsStream):
    """One row per person who may use the account; two streams are made of one answer."""

    path = "/members"
    records_jsonpath = "$.members[*]"
    repairs = {"created_at": as_moment, "last_login_at": as_moment}


class AccountMembers(MembersStream):
    """One row per person who may use the account: the same as `members`."""

    name = "account_members"


class Members(MembersStream):
    """One row per person who may use the account, or was invited to."""

    name = "members"


class Roles(WholeStream):
    """One row per role that people of the organization can have: what `members.role` names."""

    name = "roles"
    path = "/roles"


class Fields(WholeStream):
    """One row per custom field of rewards: what `rewards.custom_fields` has values of."""

    name = "fields"
    path = "/fields"


class Webhooks(WholeStream):
    """One row, or none: the address that is told of events. Its private key is dropped."""

    name = "webhooks"
    path = "/webhooks"


class ConnectedOrganizations(RewardsStream):
    """One row per organization that a platform has connected with its own by Tremendous Connect."""

    name = "connected_organizations"
    path = "/connected_organizations"
    child_keys = {"connected_organization_id": "id"}
    may_be_missing = True
    missing_hint = "only platforms with Tremendous Connect have it"
    selected_by_default = False


class ConnectedOrganizationMembers(RewardsStream):
    """One row per person of a connected organization; `member` is null until the person has registered."""

    name = "connected_organization_members"
    path = "/connected_organization_members"
    parent_stream_type = ConnectedOrganizations
    may_be_missing = True
    missing_hint = ConnectedOrganizations.missing_hint
    selected_by_default = False

    @override
    def get_url_params(self, context: Context | None, next_page_token: Query | None) -> dict[str, Any]:
        """The organization is named in the query."""
        return {**super().get_url_params(context, next_page_token), **(context or {})}
