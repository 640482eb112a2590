-- Who may ask the archive for what. Orthanc calls this for every HTTP request, after it has checked the password.
--
-- Orthanc itself knows passwords but no rights: everybody who may log in may also read and delete everything. A
-- handheld can be stolen, with its password on it. So a handheld (a user named "device-...") may only store, and read
-- back what it can name by its study's UID; UIDs are random, so it cannot list anybody, and it cannot delete.
-- Readers may look at everything and change nothing. "admin" may do all.

local UID = '[0-9.]+'

local DEVICE_MAY_GET = {
   '^/dicom%-web/studies/' .. UID .. '/instances$',
   '^/dicom%-web/studies/' .. UID .. '/series/' .. UID .. '/instances/' .. UID .. '$',
   '^/dicom%-web/studies/' .. UID .. '/series/' .. UID .. '/instances/' .. UID .. '/metadata$',
}

local function deviceMay(method, uri)
   if method == 'POST' then
      return uri == '/dicom-web/studies'
   end
   if method == 'GET' then
      for _, pattern in ipairs(DEVICE_MAY_GET) do
         if string.find(uri, pattern) then
            return true
         end
      end
   end
   return false
end

function IncomingHttpRequestFilter(method, uri, ip, username, httpHeaders)
   if username == 'admin' then
      return true
   end
   if username == 'reader' then
      return method == 'GET' or (method == 'POST' and uri == '/tools/find')
   end
   if string.find(username, '^device%-') then
      return deviceMay(method, uri)
   end
   return false
end
