"""Common pages: what servers and sites say every day, so that no fingerprint may take it for blocking.

Written by us after the pages that common servers ship and sites show; a borrowed pattern that occurs in
one of them proves nothing.
"""

_BLANK = (
    "<HTML></HTML>",
    "<html></html>",
    "<html><body></body></html>",
    "<html><head></head><body></body></html>",
    "<!DOCTYPE html>\n<html><head><title></title></head><body></body></html>",
    "",
)

_SERVERS = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>"
    "\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>403 Forbidden</title>\n</head>'
    "<body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n"
    "<p>You don't have permission to access / on this server.</p>\n</body></html>\n",
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>301 Moved Permanently</title>\n'
    '</head><body>\n<h1>Moved Permanently</h1>\n<p>The document has moved <a href="https://example.org/">'
    "here</a>.</p>\n</body></html>\n",
    "<html><head><title>Error 404 Not Found</title></head><body><h1>Not Found</h1>"
    "<p>The requested URL was not found on this server.</p></body></html>",
    "<html><body><h1>It works!</h1></body></html>",
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n You don't have "
    'permission to access "http://example.org/" on this server.<P>\nReference #18.0\n</BODY>\n</HTML>\n',
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    "Please consult with your administrator.</body></html>",
    "<html><head><title>Access denied</title></head><body><h1>Access denied</h1><p>The owner of this website "
    "has banned your IP address. Ray ID: 0</p></body></html>",
    "<html><head><title>451 Unavailable For Legal Reasons</title></head><body>"
    "<center><h1>451 Unavailable For Legal Reasons</h1></center></body></html>",
)

_SITES = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width, initial-scale=1"><meta property="og:type" content="website">'
    '<link rel="stylesheet" href="/style.css"><script src="/app.js"></script><title>News</title></head>'
    '<body><div class="content"><h1>News</h1><p>The court ordered the site to be blocked; the ministry says '
    'that access was restricted by law. Category: Politics</p><a href="/about">About</a>'
    '<img src="/logo.png"></div></body></html>',
    '<!DOCTYPE html><html><head><title>Login</title></head><body><form action="/login" method="post">'
    '<input name="user"><input type="password" name="password"><p>This content is not available in your '
    "country.</p></form></body></html>",
    '{"error": "access denied", "code": 403, "message": "Forbidden"}',
)

ORDINARY_PAGES = (*_BLANK, *_SERVERS, *_SITES)
