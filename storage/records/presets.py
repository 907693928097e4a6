"""Rules for records that many sites and programs write, by the name of what writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from storage.frozen import frozen
from storage.model import Kind
from storage.records.rules import FieldRule, image_fields, web_fields


@frozen
class Preset:
    """The rules of a kind of records, and the keys whose entries are items."""

    fields: Mapping[str, FieldRule]
    items: tuple[str, ...] = field(default=())


PRESETS: Final[Mapping[str, Preset]] = {
    "jekyll": Preset(
        {
            **web_fields(
                "canonical_url", "external_url", "redirect_to", "link", "url", "author.url", "source"
            ),
            **image_fields("image", "image.path", "header.image", "header.teaser", "thumbnail", "teaser"),
        }
    ),
    "hugo": Preset(
        {
            **web_fields("canonicalURL", "canonicalUrl", "externalUrl", "link", "source_url", "params.url"),
            **image_fields("images", "featured_image", "featuredImage", "cover.image", "image", "thumbnail"),
        }
    ),
    "astro": Preset(
        {
            **web_fields("canonicalURL", "canonical", "link", "url", "externalUrl", "website"),
            **image_fields("heroImage", "image", "image.src", "image.url", "ogImage", "cover", "cover.src"),
        }
    ),
    "json-ld": Preset(
        {
            **web_fields("url", "sameAs", "mainEntityOfPage", "mainEntityOfPage.@id", "embedUrl", "item.@id"),
            **web_fields("downloadUrl", "license", "codeRepository", "discussionUrl", "relatedLink"),
            **image_fields("image", "image.url", "image.contentUrl", "logo", "logo.url", "thumbnailUrl"),
            **image_fields("photo", "photo.url", "primaryImageOfPage.url", "screenshot"),
        },
        ("@graph", "itemListElement"),
    ),
    "open-graph": Preset(
        {
            **web_fields("og:url", "og:video", "og:video:url", "og:audio", "article:author", "og.url"),
            **dict.fromkeys(
                ("og:image", "og:image:url", "og:image:secure_url"),
                FieldRule(Kind.IMAGE, "og:image:width", "og:image:height"),
            ),
            **image_fields("twitter:image", "twitter:image:src", "og.image", "og.image.url", "twitter.image"),
        }
    ),
    "news-api": Preset(
        {**web_fields("url"), **image_fields("urlToImage")},
        ("articles", "sources"),
    ),
    "landscape": Preset(
        {
            **web_fields("homepage_url", "repo_url", "crunchbase", "twitter", "*_url", "audits.url"),
            **web_fields("url_for_bestpractices", "project_org"),
        },
        ("items",),
    ),
}
NO_PRESET: Final = Preset({})
