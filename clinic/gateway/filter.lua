-- SPDX-License-Identifier: Apache-2.0
-- Who may ask the archive for what. Orthanc calls this for every HTTP request, after it has checked the password.
--
-- Orthanc itself knows passwords but no rights: all who may log in may also read and delete everything. Handhelds
-- are no users of it at all: they speak to "gate" (clinic/gateway/gate.py), which knows what each of them has sent. Readers may
-- look at everything and change nothing; "pages" (clinic/web) may store as well, and checks itself who may. "admin" may do all but end the archive by a request.

local UID = '[0-9.]+'

local GATE_MAY_GET = {
   '^/dicom%-web/studies$',
   '^/dicom%-web/studies/' .. UID .. '/instances$',
   '^/dicom%-web/studies/' .. UID .. '/series/' .. UID .. '/instances/' .. UID .. '$',
}

local function gateMay(method, uri)
   if method == 'POST' then
      return uri == '/dicom-web/studies'
   end
   if method == 'GET' then
      for _, pattern in ipairs(GATE_MAY_GET) do
         if string.find(uri, pattern) then
            return true
         end
      end
   end
   return false
end

function IncomingHttpRequestFilter(method, uri, ip, username, httpHeaders)
   if string.find(uri, '^/tools/shutdown') or string.find(uri, '^/tools/reset') then
      return false
   end
   if username == 'admin' then
      return true
   end
   if username == 'reader' then
      return method == 'GET' or (method == 'POST' and uri == '/tools/find')
   end
   if username == 'gate' then
      return gateMay(method, uri)
   end
   if username == 'pages' then
      return method == 'GET' or (method == 'POST' and uri == '/dicom-web/studies')
   end
   return false
end
