import java.io.FileInputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/**
 * A TLS server with every version and suite that this Java supports; args[0] is a PKCS #12 file without a password.
 * Prints "port N", answers each byte on stdin with "connections N", ends with its stdin.
 */
public class Server {
  public static void main(String[] args) throws Exception {
    char[] password = "lab".toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (FileInputStream file = new FileInputStream(args[0])) {
      store.load(file, password);
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 500, loopback);
    server.setEnabledProtocols(new String[] {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
    server.setEnabledCipherSuites(server.getSupportedCipherSuites());
    AtomicInteger connections = new AtomicInteger();
    Thread accepting = new Thread(() -> accept(server, connections));
    accepting.setDaemon(true);
    accepting.start();
    System.out.println("port " + server.getLocalPort());
    while (System.in.read() >= 0) System.out.println("connections " + connections.get());
  }

  private static void accept(SSLServerSocket server, AtomicInteger connections) {
    while (true) {
      try {
        Socket socket = server.accept();
        connections.incrementAndGet();
        Thread reading = new Thread(() -> read(socket));
        reading.setDaemon(true);
        reading.start();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }
  }

  private static void read(Socket socket) {
    try (socket) {
      while (socket.getInputStream().read() >= 0) {}
    } catch (Exception e) {
      // probes break off handshakes
    }
  }
}
