//! Makes a self-signed certificate for localhost, for demos and tests: cert.pem and key.pem in the given folder.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: make_cert FOLDER")?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names)?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(format!("{folder}/cert.pem"), made.cert.pem())?;
    std::fs::write(format!("{folder}/key.pem"), made.signing_key.serialize_pem())?;
    Ok(())
}
