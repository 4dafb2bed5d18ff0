//! Makes a self-signed certificate for localhost, for demos and tests: cert.pem and key.pem in the given folder.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: make_cert FOLDER")?;
    let made = wspeer::internals::net::make_certificate("localhost, 127.0.0.1, ::1", 365)
        .map_err(|error| error.into_message())?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(format!("{folder}/cert.pem"), made.cert_pem)?;
    std::fs::write(format!("{folder}/key.pem"), made.key_pem)?;
    Ok(())
}
